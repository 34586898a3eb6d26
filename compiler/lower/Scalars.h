// SPDX-License-Identifier: Apache-2.0
//
// Scalar arithmetic as ONNX means it, for the bodies of generics: what the
// elementwise rows, reductions, normalisations and recurrent cells compute with.
// docs/architecture.md, "Element semantics", states the edges.

#ifndef BURIN_COMPILER_LOWER_SCALARS_H
#define BURIN_COMPILER_LOWER_SCALARS_H

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Support/LLVM.h"

namespace burin::lower {

/// The type that arithmetic on storage type `type` is done in: f32 for narrower
/// floats, else the type itself.
mlir::Type computeType(mlir::Type type);

/// How a conversion treats what the target cannot hold.
struct CastOptions {
  /// Floats beyond an 8-bit float's range become its largest value, not NaN or infinity.
  bool saturate = true;
  /// "up", "down" or "nearest"; f8E8M0 alone asks.
  llvm::StringRef roundMode = "up";
};

/// Shorthand over a builder; every value is a scalar of a storage type.
struct Scalars {
  mlir::ImplicitLocOpBuilder &b;

  mlir::Value constant(mlir::Type type, double value);
  mlir::Value constantInt(mlir::Type type, int64_t value);
  /// A constant of the type that `like` has.
  mlir::Value like(mlir::Value like, double value) { return constant(like.getType(), value); }

  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value sub(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, mlir::Value y);
  /// Integers truncate towards 0; x/0 is 0 and the smallest by -1 wraps.
  mlir::Value div(mlir::Value x, mlir::Value y, bool isUnsigned = false);
  /// Remainder with the sign of x, or of y where `floored`; x mod 0 is 0.
  mlir::Value rem(mlir::Value x, mlir::Value y, bool isUnsigned, bool floored);
  mlir::Value fma(mlir::Value x, mlir::Value y, mlir::Value z);
  mlir::Value neg(mlir::Value x);
  mlir::Value abs(mlir::Value x, bool isUnsigned = false);
  /// NaN of either operand is the result.
  mlir::Value min(mlir::Value x, mlir::Value y, bool isUnsigned = false);
  mlir::Value max(mlir::Value x, mlir::Value y, bool isUnsigned = false);

  /// Ordered comparisons, as i1.
  mlir::Value less(mlir::Value x, mlir::Value y, bool isUnsigned = false);
  mlir::Value lessEqual(mlir::Value x, mlir::Value y, bool isUnsigned = false);
  mlir::Value equal(mlir::Value x, mlir::Value y);
  /// As C's `!=`: true for NaN.
  mlir::Value notEqual(mlir::Value x, mlir::Value y);
  mlir::Value isNan(mlir::Value x);
  mlir::Value select(mlir::Value condition, mlir::Value x, mlir::Value y);

  // Functions of a float, accurate over its whole range.
  mlir::Value exp(mlir::Value x);
  mlir::Value log(mlir::Value x);
  mlir::Value sqrt(mlir::Value x);
  mlir::Value tanh(mlir::Value x);
  mlir::Value expm1(mlir::Value x);
  mlir::Value log1p(mlir::Value x);
  mlir::Value sigmoid(mlir::Value x);
  mlir::Value softplus(mlir::Value x);
  /// `x` to a constant or computed power, floats only.
  mlir::Value pow(mlir::Value x, mlir::Value y);
  /// sum of coefficients[i] * x^i, by fused multiply-adds.
  mlir::Value polynomial(mlir::Value x, llvm::ArrayRef<double> coefficients);

  /// A float narrower than f32 as f32, anything else as it is; exact.
  mlir::Value widen(mlir::Value x);
  /// `x` rounded once, to nearest even, to the float type `to`.
  mlir::Value narrow(mlir::Value x, mlir::Type to, const CastOptions &options = {});
  /// `x`, an element of the onnx type `from`, as an element of the onnx type `to`: any
  /// pair of bool, integers and floats. The result has to's storage type.
  mlir::Value cast(mlir::Value x, mlir::Type from, mlir::Type to, const CastOptions &options = {});
  /// Nearest representable of an integer type of either sign; NaN gives 0. Truncates.
  mlir::Value saturatingToInt(mlir::Value x, mlir::Type to, bool isUnsigned);
};

} // namespace burin::lower

#endif
