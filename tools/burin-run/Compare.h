// SPDX-License-Identifier: Apache-2.0
//
// Element-by-element comparison of tensors.

#ifndef BURIN_RUN_COMPARE_H
#define BURIN_RUN_COMPARE_H

#include "Tensor.h"

#include <optional>

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

/// What a tensor may differ from a reference by: |actual - expected| <= atol + rtol * |expected|.
struct Tolerance {
  std::optional<double> rtol; // none: 1e-3, or 4 units of the type's precision where that is more
  std::optional<double> atol; // none: 1e-4 of the largest |expected|
};

struct Difference {
  uint64_t mismatches = 0;  // elements beyond the tolerance
  double maxAbs = 0;        // of finite elements: the largest difference
  double maxRel = 0;        // the largest in terms of |expected|
  double maxUlp = 0;        // the largest in units of the last place that `expected` has in the type
  uint64_t worstIndex = 0;  // where the difference is largest in terms of its tolerance
  std::string actual, expected; // the values there
};

/// Compares with a reference that may have a wider float type. Integers and bools must be equal,
/// whatever their signedness. An infinity stands for all values beyond the type's range.
Difference difference(const TypeInfo &type, const unsigned char *actual,
                      const TypeInfo &referenceType, const unsigned char *expected, uint64_t count,
                      const Tolerance &tolerance);

/// Elements of a float type as f64.
Memory widened(const TypeInfo &type, const unsigned char *from, uint64_t count);

} // namespace burin::run

#endif
