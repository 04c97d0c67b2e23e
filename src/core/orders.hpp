// What a random order is, once, for every road: the CPU, the GPU and the NumPy twin draw the same ones.
//
// The generator is Philox4x32-10 (Salmon et al. 2011), which has no state: four words, scrambled under a key.
// The key is the seed; the words are a block of positions, an attempt and the draw. So any thread can make
// any draw alone, and a draw does not depend on which others are made.
#pragma once
#include "similarity.hpp"

namespace consilience {

struct Words {
  std::uint32_t word[4];
};

HOST_DEVICE inline Words philox(Words x, std::uint64_t key) {
  std::uint32_t low = static_cast<std::uint32_t>(key), high = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; round++) {
    const std::uint64_t a = 0xD2511F53ull * x.word[0], b = 0xCD9E8D57ull * x.word[2];
    x = {{static_cast<std::uint32_t>(b >> 32) ^ x.word[1] ^ low, static_cast<std::uint32_t>(b),
          static_cast<std::uint32_t>(a >> 32) ^ x.word[3] ^ high, static_cast<std::uint32_t>(a)}};
    low += 0x9E3779B9u;
    high += 0xBB67AE85u;
  }
  return x;
}

// Where orders come from: given, one row a draw; or drawn. Stimuli that may be exchanged lie in adjacent
// slots, from the slot first[i] on; without groups slot i is stimulus i, and all begin at 0.
struct Orders {
  std::int64_t n, draws;
  const std::int32_t* given;            // [draws][n], or null
  std::uint64_t seed;                   // where null
  const std::int32_t *stimuli, *first;  // [n], of each slot

  HOST_DEVICE void write(std::int64_t draw, std::int32_t* order) const {
    for (std::int64_t i = 0; i < n; i++)
      order[i] = given ? given[draw * n + i] : static_cast<std::int32_t>(i);
    if (!given) shuffle(draw, order);
  }

  // Fisher and Yates: from the last slot down, each is exchanged with itself or one before it in its group.
  HOST_DEVICE void shuffle(std::int64_t draw, std::int32_t* order) const {
    for (std::int64_t block = (n - 1) / 4; block >= 0; block--) {
      const Words words = random(draw, block, 0);
      for (int lane = 3; lane >= 0; lane--) {
        const std::int64_t i = 4 * block + lane;
        if (i >= n || first[i] == i) continue;
        const std::uint32_t choices = static_cast<std::uint32_t>(i - first[i] + 1);
        std::int32_t& one = order[stimuli[i]];
        std::int32_t& other = order[stimuli[first[i] + below(choices, words, lane, draw, block)]];
        const std::int32_t kept = one;
        one = other;
        other = kept;
      }
    }
  }

  HOST_DEVICE Words random(std::int64_t draw, std::int64_t block, std::uint32_t attempt) const {
    const std::uint64_t number = static_cast<std::uint64_t>(draw);
    return philox({{static_cast<std::uint32_t>(block), attempt, static_cast<std::uint32_t>(number),
                    static_cast<std::uint32_t>(number >> 32)}},
                  seed);
  }

  // A number below `choices`, all equally likely (Lemire 2019): the upper half of word * choices. A lower half
  // under 2^32 mod choices would be one too many for its upper half; then the next attempt's word is taken.
  HOST_DEVICE std::uint32_t below(std::uint32_t choices, const Words& words, int lane, std::int64_t draw,
                                  std::int64_t block) const {
    std::uint64_t product = static_cast<std::uint64_t>(words.word[lane]) * choices;
    if (static_cast<std::uint32_t>(product) < choices) {
      const std::uint32_t spare = (0u - choices) % choices;
      for (std::uint32_t attempt = 1; static_cast<std::uint32_t>(product) < spare; attempt++)
        product = static_cast<std::uint64_t>(random(draw, block, attempt).word[lane]) * choices;
    }
    return static_cast<std::uint32_t>(product >> 32);
  }
};

}  // namespace consilience
