// How long work is split over threads, watched, and interrupted.
#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <system_error>
#include <thread>
#include <vector>

namespace consilience {

// Called now and then on the calling thread with the share done of the present pass, 0 to 1. It may throw, to
// stop everything.
using Poll = std::function<void(double)>;

inline double share_done(std::int64_t done, std::int64_t all) {
  return std::min(1.0, static_cast<double>(done) / static_cast<double>(all));
}

struct Workers {
  int threads;
  Poll poll;
};

// Runs f(item) for all items on several threads, which live for this call only: starting one costs some ten
// microseconds, and unlike a standing pool (or OpenMP) it survives a fork. The first exception, from any
// thread or from the poll (Ctrl-C), stops the others and is thrown here. With `make`, each thread has something of its
// own, made once: f(item, own).
template <class Make, class F>
void parallel(const Workers& workers, std::int64_t items, Make&& make, F&& f) {
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> stop{false};
  std::exception_ptr thrown;
  const auto work = [&](bool polls) {
    auto polled = std::chrono::steady_clock::now();
    try {
      auto own = make();
      for (std::int64_t item; !stop && (item = next++) < items;) {
        f(item, own);
        if (polls && std::chrono::steady_clock::now() - polled > std::chrono::milliseconds(50)) {
          workers.poll(share_done(item + 1, items));
          polled = std::chrono::steady_clock::now();
        }
      }
    } catch (...) {
      if (!stop.exchange(true)) thrown = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  try {
    for (std::int64_t t = 1; t < std::min<std::int64_t>(workers.threads, items); t++)
      others.emplace_back(work, false);
  } catch (const std::system_error&) {
    // No more threads to be had: those that started, and this one, do all the work.
  }
  work(true);
  for (auto& other : others) other.join();
  if (thrown) std::rethrow_exception(thrown);
}

template <class F> void parallel(const Workers& workers, std::int64_t items, F&& f) {
  const auto nothing = [] { return nullptr; };
  parallel(workers, items, nothing, [&](std::int64_t item, std::nullptr_t) { f(item); });
}

}  // namespace consilience
