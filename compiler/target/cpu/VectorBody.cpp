// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/cpu/VectorBody.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace burin::cpu {

SmallVector<Value> vectorizeBody(ImplicitLocOpBuilder &b, Block &body, IRMapping &mapping,
                                 int64_t width) {
  auto splat = [&](Value value) -> Value {
    return vector::BroadcastOp::create(b, VectorType::get({width}, value.getType()), value);
  };
  auto vectorized = [&](Value value) {
    Value known = mapping.lookupOrNull(value);
    return known ? known : splat(value);
  };
  for (Operation &inner : body.without_terminator()) {
    if (inner.hasTrait<OpTrait::ConstantLike>()) {
      mapping.map(inner.getResult(0), splat(b.clone(inner)->getResult(0)));
      continue;
    }
    OperationState made(inner.getLoc(), inner.getName(),
                        llvm::map_to_vector(inner.getOperands(), vectorized), {}, inner.getAttrs());
    made.propertiesAttr = inner.getPropertiesAsAttribute();
    for (Type type : inner.getResultTypes())
      made.addTypes(VectorType::get({width}, type));
    mapping.map(inner.getResults(), b.create(made)->getResults());
  }
  return llvm::map_to_vector(body.getTerminator()->getOperands(), vectorized);
}

} // namespace burin::cpu
