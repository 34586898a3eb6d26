// SPDX-License-Identifier: Apache-2.0
//
// Element-by-element comparison of tensors.

#ifndef BURIN_RUN_COMPARE_H
#define BURIN_RUN_COMPARE_H

#include "Tensor.h"

namespace burin::run {

struct Comparison {
  uint64_t mismatches = 0;
  double maxError = 0;   // the largest |actual - expected| of finite elements
  // The mismatch with the largest excess over its tolerance.
  uint64_t worstIndex = 0;
  std::string actual, expected; // its values
};

/// An element agrees where |actual - expected| <= atol + rtol * |expected|, where both
/// are NaN, or where both are the same infinity; integers and bools where they are equal.
Comparison compare(const TypeInfo &type, uint64_t count, const unsigned char *actual,
                   const unsigned char *expected, double rtol, double atol);

} // namespace burin::run

#endif
