// The sums over a u-centred kernel matrix A that the exact null of debiased CKA is made of, without A.
//
// Z are centred rows, K = Z Z'. Rows of K sum to zero, so u-centring asks for nothing but its diagonal g, whose
// sum is G. With D diagonal, D_ii = e_i = g_i + 2 u_i, and u_i = (g_i - G / 2(n-1)) / (n-2):
//
//   A + D = K + u 1' + 1 u'
//
// Squared, as K 1 = 0, with U the sum of u and p = K u + U u + |u|²/2:
//
//   A A + A D + D A + D D = (K K + n u u') + p 1' + 1 p'
//
// What stands in brackets are again products of rows: of W = (Z R', sqrt(n) u), where Z = Q R. So tiles of Z Z'
// and of W W' side by side, and three numbers a row, make every entry of A and of A A:
//
//   A_ij = z_i z_j + u_i + u_j      (AA)_ij = w_i w_j + p_i + p_j - (e_i + e_j) A_ij      for i != j
//   A_ii = 0                        (AA)_ii = |w_i|² + 2 p_i - e_i²
#pragma once
#include "tiles.hpp"

namespace consilience {

constexpr int RELATION_SUMS = 5;

// Writes the sums of A³, A⁴, A (AA), A² (AA) and (AA)², entry by entry over i != j.
void relation_sums(const Isa& isa, const View& Z, const View& W, const Terms<double>& terms, bool in_double,
                   const Workers& workers, double* sums);

}  // namespace consilience
