// SPDX-License-Identifier: Apache-2.0
//
// Builds index arithmetic and control flow, folding what is known while it builds: a
// micro-kernel of static sizes is then straight-line code before any pass looks at it.

#ifndef BURIN_COMPILER_TARGET_CPU_INDEXBUILDER_H
#define BURIN_COMPILER_TARGET_CPU_INDEXBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace burin::cpu {

/// A base class, so that what uses it reads as formulas: `add(mul(i, 6), j)`.
class IndexBuilder {
protected:
  using Value = mlir::Value;
  using ValueRange = mlir::ValueRange;

  IndexBuilder(mlir::Location loc, mlir::Operation *before) : b(loc, before) {}

  Value index(int64_t value) { return mlir::arith::ConstantIndexOp::create(b, value); }
  static std::optional<int64_t> known(Value value) { return mlir::getConstantIntValue(value); }
  Value add(Value x, Value y) {
    if (known(x) && known(y))
      return index(*known(x) + *known(y));
    return known(x) == 0 ? y : known(y) == 0 ? x : Value(mlir::arith::AddIOp::create(b, x, y));
  }
  Value sub(Value x, Value y) {
    if (known(x) && known(y))
      return index(*known(x) - *known(y));
    return known(y) == 0 ? x : Value(mlir::arith::SubIOp::create(b, x, y));
  }
  Value mul(Value x, Value y) {
    if (known(x) && known(y))
      return index(*known(x) * *known(y));
    if (known(x) == 0 || known(y) == 0)
      return index(0);
    return known(x) == 1 ? y : known(y) == 1 ? x : Value(mlir::arith::MulIOp::create(b, x, y));
  }
  Value mul(Value x, int64_t y) { return mul(x, index(y)); }
  Value smaller(Value x, Value y) {
    if (known(x) && known(y))
      return index(std::min(*known(x), *known(y)));
    return mlir::arith::MinSIOp::create(b, x, y);
  }
  Value ceilDiv(Value x, int64_t y) {
    if (auto constant = known(x))
      return index(llvm::divideCeil(uint64_t(*constant), uint64_t(y)));
    return y == 1 ? x : Value(mlir::arith::CeilDivUIOp::create(b, x, index(y)));
  }
  Value below(Value x, Value y) {
    return mlir::arith::CmpIOp::create(b, mlir::arith::CmpIPredicate::ult, x, y);
  }
  /// Splits a row-major position over `sizes`.
  llvm::SmallVector<Value> delinearize(Value position, ValueRange sizes) {
    llvm::SmallVector<Value> parts(sizes.size());
    for (size_t i = sizes.size(); i-- > 0;) {
      if (i == 0) {
        parts[i] = position;
      } else if (known(sizes[i]) == 1) {
        parts[i] = index(0);
      } else {
        parts[i] = mlir::arith::RemUIOp::create(b, position, sizes[i]);
        position = mlir::arith::DivUIOp::create(b, position, sizes[i]);
      }
    }
    return parts;
  }
  Value asIndex(Value bit) {
    return mlir::arith::IndexCastUIOp::create(b, b.getIndexType(), bit);
  }
  /// The row-major position over `sizes` that comes `step`, 0 or 1, after `position`.
  llvm::SmallVector<Value> advance(ValueRange position, ValueRange sizes, Value step) {
    llvm::SmallVector<Value> next(position);
    for (size_t i = next.size(); i-- > 0;) {
      next[i] = add(next[i], step);
      if (i == 0)
        break;
      Value isPast = mlir::arith::CmpIOp::create(b, mlir::arith::CmpIPredicate::eq, next[i], sizes[i]);
      next[i] = mlir::arith::SelectOp::create(b, isPast, index(0), next[i]);
      step = asIndex(isPast);
    }
    return next;
  }
  Value product(ValueRange values) {
    Value result = index(1);
    for (Value value : values)
      result = mul(result, value);
    return result;
  }
  Value sizeOf(Value memref, unsigned dim) {
    int64_t size = mlir::cast<mlir::MemRefType>(memref.getType()).getDimSize(dim);
    return mlir::ShapedType::isDynamic(size) ? Value(mlir::memref::DimOp::create(b, memref, dim))
                                             : index(size);
  }
  /// Of `total`, in blocks of `most`: how many the block that begins at `first` has.
  Value extent(Value total, Value first, int64_t most) {
    return known(total) && *known(total) % most == 0 ? index(most)
                                                     : smaller(sub(total, first), index(most));
  }
  /// Factors of panels as a `vector` of f32; bf16 is extended.
  Value loadFactors(Value panels, mlir::VectorType vector, ValueRange at) {
    mlir::Type element = mlir::cast<mlir::MemRefType>(panels.getType()).getElementType();
    Value loaded = mlir::vector::LoadOp::create(b, vector.clone(element), panels, at);
    return element == vector.getElementType() ? loaded
                                              : mlir::arith::ExtFOp::create(b, vector, loaded);
  }
  /// Memory of a worker, for f32.
  Value scratch(llvm::ArrayRef<int64_t> shape) {
    return mlir::memref::AllocOp::create(b, mlir::MemRefType::get(shape, b.getF32Type()));
  }
  /// Zeros in such memory, `vector` by `vector`, at least `length` of them.
  Value scratchOfZeros(int64_t length, mlir::VectorType vector) {
    int64_t width = vector.getDimSize(0);
    length = llvm::alignTo(length, width);
    Value zeros = scratch({length});
    Value zero = mlir::arith::ConstantOp::create(b, mlir::DenseElementsAttr::get(vector, 0.0f));
    loop(index(0), index(length), width,
         [&](Value i) { mlir::vector::StoreOp::create(b, zero, zeros, ValueRange{i}); });
    return zeros;
  }
  /// Runs `body` in a counted loop; without one where there is one iteration for sure.
  void loop(Value lower, Value upper, int64_t step, llvm::function_ref<void(Value)> body) {
    if (known(lower) && known(upper) && *known(upper) > *known(lower) &&
        *known(upper) - *known(lower) <= step)
      return body(lower);
    auto made = mlir::scf::ForOp::create(b, lower, upper, index(step));
    mlir::OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(made.getBody());
    body(made.getInductionVar());
  }
  void when(Value condition, llvm::function_ref<void()> then,
            llvm::function_ref<void()> otherwise = nullptr) {
    if (std::optional<int64_t> constant = known(condition)) {
      if (*constant)
        then();
      else if (otherwise)
        otherwise();
      return;
    }
    auto branch = mlir::scf::IfOp::create(b, condition, bool(otherwise));
    mlir::OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    then();
    if (otherwise) {
      b.setInsertionPointToStart(branch.elseBlock());
      otherwise();
    }
  }
  /// x < y, constant where it is known.
  Value isBelow(Value x, Value y) {
    if (known(x) && known(y))
      return mlir::arith::ConstantOp::create(b, b.getBoolAttr(*known(x) < *known(y)));
    return below(x, y);
  }

  mlir::ImplicitLocOpBuilder b;
};

} // namespace burin::cpu

#endif
