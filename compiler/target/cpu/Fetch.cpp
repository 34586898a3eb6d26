// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/cpu/Fetch.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace burin::cpu {

bool exceedsSecondCache(Value memref) {
  constexpr int64_t bytes = 256 * 1024;
  auto type = cast<MemRefType>(memref.getType());
  return type.hasStaticShape() && type.getNumElements() * type.getElementTypeBitWidth() / 8 > bytes;
}

/// Whether extra `i` is such rows.
static bool isFetched(kern::ContractOp op, unsigned i) {
  AffineMap map = op.getExtraMap(i);
  return map.getNumResults() > 1 && map.isFunctionOfDim(op.getNumParallel() - 1) &&
         exceedsSecondCache(op.getExtras()[i]);
}

bool fetchesExtras(kern::ContractOp op) {
  return llvm::any_of(llvm::seq<unsigned>(0, op.getExtras().size()),
                      [&](unsigned i) { return isFetched(op, i); });
}

void fetchExtras(ImplicitLocOpBuilder &b, kern::ContractOp op, ValueRange dims) {
  for (auto [i, extra] : llvm::enumerate(op.getExtras())) {
    if (!isFetched(op, i))
      continue;
    SmallVector<Value> at;
    for (AffineExpr expr : op.getExtraMap(i).getResults()) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      at.push_back(dim ? dims[dim.getPosition()] : Value(arith::ConstantIndexOp::create(b, 0)));
    }
    memref::PrefetchOp::create(b, extra, at, /*isWrite=*/false, /*localityHint=*/3,
                               /*isDataCache=*/true);
  }
}

Value goesBackward(ImplicitLocOpBuilder &b, kern::ContractOp op) {
  auto loop = dyn_cast<scf::ForOp>(op->getParentOp());
  if (!loop || !loop.isDefinedOutsideOfLoop(op.getB()) || !exceedsSecondCache(op.getB()))
    return nullptr;
  Value trip = arith::SubIOp::create(b, loop.getInductionVar(), loop.getLowerBound());
  trip = arith::DivUIOp::create(b, trip, loop.getStep());
  Value isOdd = arith::RemUIOp::create(b, trip, arith::ConstantIndexOp::create(b, 2));
  return arith::CmpIOp::create(b, arith::CmpIPredicate::ne, isOdd, arith::ConstantIndexOp::create(b, 0));
}

} // namespace burin::cpu
