// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/cpu/Epilogue.h"

#include "compiler/target/cpu/VectorBody.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

bool burin::cpu::isShortEpilogue(kern::ContractOp op) {
  constexpr int64_t most = 6;
  return int64_t(llvm::range_size(op.getEpilogue().front().without_terminator())) <= most;
}

static Value maskOf(ImplicitLocOpBuilder &b, int64_t width, Value columnsLeft) {
  if (!columnsLeft)
    return nullptr;
  return vector::CreateMaskOp::create(b, VectorType::get({width}, b.getI1Type()), ValueRange{columnsLeft});
}

Value burin::cpu::finishVector(ImplicitLocOpBuilder &b, kern::ContractOp op, ValueRange dims, Value sum,
                               Value columnsLeft) {
  int64_t width = cast<VectorType>(sum.getType()).getDimSize(0);
  unsigned numParallel = op.getNumParallel();
  Value mask = maskOf(b, width, columnsLeft);
  IRMapping mapping;
  Block &body = op.getEpilogue().front();
  mapping.map(body.getArgument(0), sum);
  for (auto [i, extra] : llvm::enumerate(op.getExtras())) {
    AffineMap map = op.getExtraMap(i);
    Type element = cast<MemRefType>(extra.getType()).getElementType();
    auto type = VectorType::get({width}, element);
    SmallVector<Value> at;
    for (AffineExpr expr : map.getResults()) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      at.push_back(dim ? dims[dim.getPosition()] : Value(arith::ConstantIndexOp::create(b, 0)));
    }
    Value value;
    if (!map.isFunctionOfDim(numParallel - 1)) {
      value = memref::LoadOp::create(b, extra, at);
      value = vector::BroadcastOp::create(b, type, value);
    } else if (mask) {
      Value other = arith::ConstantOp::create(b, b.getZeroAttr(type));
      value = vector::MaskedLoadOp::create(b, type, extra, at, mask, other);
    } else {
      value = vector::LoadOp::create(b, type, extra, at);
    }
    mapping.map(body.getArgument(i + 1), value);
  }

  return vectorizeBody(b, body, mapping, width)[0];
}

void burin::cpu::storeVector(ImplicitLocOpBuilder &b, Value vector, Value destination, ValueRange place,
                             Value columnsLeft) {
  if (Value mask = maskOf(b, cast<VectorType>(vector.getType()).getDimSize(0), columnsLeft))
    vector::MaskedStoreOp::create(b, destination, place, mask, vector);
  else
    vector::StoreOp::create(b, vector, destination, place);
}

void burin::cpu::writeVector(ImplicitLocOpBuilder &b, kern::ContractOp op, ValueRange dims, Value sum,
                             Value columnsLeft) {
  storeVector(b, finishVector(b, op, dims, sum, columnsLeft), op.getInit(), dims, columnsLeft);
}
