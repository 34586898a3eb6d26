// SPDX-License-Identifier: Apache-2.0
#ifndef BURIN_COMPILER_LOWER_REDUCTION_H
#define BURIN_COMPILER_LOWER_REDUCTION_H

#include "compiler/lower/Lowering.h"
#include "compiler/lower/Scalars.h"

namespace burin::lower {

/// How many elements a total is of: a number, or an index where that changes from run to run.
struct Count {
  double fixed = 1;
  mlir::Value open;

  /// As a value of the total's type.
  mlir::Value as(Scalars &s, mlir::Value total) const;
};

/// The least (or, where `largest`, the greatest) value of a storage type, which
/// loses against every element.
mlir::Value extremeOf(Lowering &b, mlir::Type storage, bool isUnsigned, bool largest);

/// Index along `dim` of the greatest (least) element of `input`, as i64; the result
/// drops `dim`. Of equals the first, or the last; NaN beats numbers.
mlir::Value argReduce(Lowering &b, mlir::Value input, bool isUnsigned, int64_t dim, bool greatest,
                      bool last);

/// A softmax before its division: exponentials in the input's shape, and their totals, of which each
/// row along `dim` has one. Both are f32 or wider. Where `guarded`, the total of a row of nothing but -infinity
/// is 1.
struct Exponentials {
  mlir::Value terms, totals;
};
Exponentials exponentials(Lowering &b, mlir::Value input, int64_t dim, bool guarded = false);

/// Softmax of `input` along `dim`, computed in f32 or wider and rounded once to `element`. Where
/// `guarded`, rows of nothing but -infinity are 0, not NaN.
mlir::Value softmax(Lowering &b, mlir::Value input, int64_t dim, mlir::Type element,
                    bool guarded = false);

/// A result that depends on axes which only the running model knows: `choices` holds what
/// each set of them in `masks` (bit d for dimension d) gives, all of one type. Sets are
/// compared in the dimensions of `relevant`; one that is not there is reported.
mlir::Value selectByAxes(Lowering &b, mlir::Value axes, int64_t rank, uint64_t relevant,
                         llvm::ArrayRef<uint64_t> masks, mlir::ValueRange choices);

/// `axis` counted from the front, or nothing where it is outside of `rank`.
std::optional<int64_t> normalizedAxis(int64_t axis, int64_t rank);

} // namespace burin::lower

#endif
