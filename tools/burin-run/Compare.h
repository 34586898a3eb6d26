// SPDX-License-Identifier: Apache-2.0
//
// Element-by-element comparison of tensors.

#ifndef BURIN_RUN_COMPARE_H
#define BURIN_RUN_COMPARE_H

#include "Tensor.h"

#include <optional>

namespace burin::run {

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

/// Compares with a reference that may have a wider float type. NaNs are equal, as are infinities of
/// one sign, which stand for all values beyond the type's range; integers and bools must be equal,
/// whatever their signedness.
Difference difference(const TypeInfo &type, const unsigned char *actual,
                      const TypeInfo &referenceType, const unsigned char *expected, uint64_t count,
                      const Tolerance &tolerance);

/// Elements of a float type as f64.
Memory widened(const TypeInfo &type, const unsigned char *from, uint64_t count);

} // namespace burin::run

#endif
