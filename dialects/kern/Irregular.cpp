// SPDX-License-Identifier: Apache-2.0
//
// kern.scatter, kern.sort, kern.scan: builders, verifiers, effects.

#include "dialects/kern/KernOps.h"

using namespace mlir;
using namespace burin::kern;

//===- Shared ---------------------------------------------------------------===//

/// Adds the op's only block with arguments of `types`, filled by `body`.
static void buildBody(OpBuilder &builder, OperationState &state, TypeRange types,
                      BodyBuilder body) {
  OpBuilder::InsertionGuard guard(builder);
  SmallVector<Location> locs(types.size(), state.location);
  Block *block = builder.createBlock(state.regions[0].get(), {}, types, locs);
  ImplicitLocOpBuilder inner(state.location, builder);
  YieldOp::create(inner, body(inner, block->getArguments()));
}

static SmallVector<Type> tensorTypes(ValueRange inits) {
  return llvm::filter_to_vector(inits.getTypes(),
                                [](Type type) { return isa<RankedTensorType>(type); });
}

/// Buffers are read; destinations are written, and read where `readsInits`.
static void addEffects(Operation *op, bool readsInits,
                       SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  auto style = cast<DestinationStyleOpInterface>(op);
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    bool isInit = style.isDpsInit(&operand);
    if (!isInit || readsInits)
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
    if (isInit)
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
  }
}

static bool mayEqual(int64_t a, int64_t b) {
  return ShapedType::isDynamic(a) || ShapedType::isDynamic(b) || a == b;
}

static ShapedType shapedType(Value value) { return cast<ShapedType>(value.getType()); }

/// Results mirror destinations: one per tensor of the same type, none on memrefs.
static LogicalResult verifyDestinations(Operation *op) {
  auto style = cast<DestinationStyleOpInterface>(op);
  bool onTensors = isa<RankedTensorType>(style.getDpsInits()[0].getType());
  for (Value operand : op->getOperands())
    if (isa<ShapedType>(operand.getType()) &&
        isa<RankedTensorType>(operand.getType()) != onTensors)
      return op->emitOpError("mixes tensors and memrefs");
  if (onTensors ? TypeRange(op->getResults()) != TypeRange(style.getDpsInits())
                : op->getNumResults() != 0)
    return op->emitOpError("needs results of the types of its destinations, and none on memrefs");
  return success();
}

static LogicalResult verifyBody(Operation *op, ArrayRef<Type> arguments, ArrayRef<Type> yields) {
  Block &body = op->getRegion(0).front();
  if (body.getArgumentTypes() != TypeRange(arguments))
    return op->emitOpError("needs a body with arguments of types ") << arguments;
  auto yield = dyn_cast<YieldOp>(body.getTerminator());
  if (!yield || yield.getOperandTypes() != TypeRange(yields))
    return op->emitOpError("needs a body that yields values of types ") << yields;
  return success();
}

//===- scatter --------------------------------------------------------------===//

void ScatterOp::build(OpBuilder &builder, OperationState &state, Value indices, Value updates,
                      Value init, AffineMap indexMap, AffineMap placeMap, bool wrap, bool drop,
                      BodyBuilder body) {
  build(builder, state, tensorTypes(init), indices, updates, init, indexMap, placeMap, wrap, drop);
  Type element = shapedType(updates).getElementType();
  buildBody(builder, state, {element, shapedType(init).getElementType()}, body);
}

void ScatterOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  addEffects(*this, /*readsInits=*/true, effects);
}

LogicalResult ScatterOp::verify() {
  if (failed(verifyDestinations(*this)))
    return failure();
  ShapedType indices = shapedType(getIndices()), updates = shapedType(getUpdates()),
             init = shapedType(getInit());
  if (!indices.getElementType().isSignlessInteger() || indices.getRank() == 0)
    return emitOpError("needs integer indices with a dim of coordinates");
  AffineMap index = getIndexMap(), place = getPlaceMap();
  unsigned rank = updates.getRank();
  if (index.getNumDims() != rank || index.getNumSymbols() != 0 ||
      index.getNumResults() + 1 != indices.getRank() || !index.isProjectedPermutation())
    return emitOpError("has an index_map that does not take the dims of its updates to `indices`");
  for (unsigned i = 0; i < index.getNumResults(); ++i)
    if (!mayEqual(indices.getDimSize(i), updates.getDimSize(index.getDimPosition(i))))
      return emitOpError("has indices of other sizes than its updates");
  if (place.getNumDims() != rank || place.getNumResults() != init.getRank() ||
      !mayEqual(indices.getDimSize(indices.getRank() - 1), place.getNumSymbols()))
    return emitOpError("has a place_map that does not take dims and coordinates to `init`");
  return verifyBody(*this, {updates.getElementType(), init.getElementType()},
                    {init.getElementType()});
}

//===- sort -----------------------------------------------------------------===//

void SortOp::build(OpBuilder &builder, OperationState &state, Value input, Value init,
                   int64_t axis, BodyBuilder body) {
  build(builder, state, tensorTypes(init), input, init, axis);
  Type element = shapedType(input).getElementType();
  buildBody(builder, state, {element, element}, body);
}

void SortOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  addEffects(*this, /*readsInits=*/false, effects);
}

LogicalResult SortOp::verify() {
  if (failed(verifyDestinations(*this)))
    return failure();
  ShapedType input = shapedType(getInput()), init = shapedType(getInit());
  int64_t axis = getAxis();
  if (input.getRank() != init.getRank() || axis < 0 || axis >= input.getRank())
    return emitOpError("needs an axis of its input, and a destination of the same rank");
  if (!init.getElementType().isSignlessInteger())
    return emitOpError("writes positions, which are integers");
  for (int64_t i = 0; i < input.getRank(); ++i)
    if (i != axis && !mayEqual(input.getDimSize(i), init.getDimSize(i)))
      return emitOpError("has a destination of other sizes than its input");
  if (!input.isDynamicDim(axis) && !init.isDynamicDim(axis) &&
      init.getDimSize(axis) > input.getDimSize(axis))
    return emitOpError("writes more along its axis than it reads");
  return verifyBody(*this, {input.getElementType(), input.getElementType()},
                    {IntegerType::get(getContext(), 1)});
}

//===- scan -----------------------------------------------------------------===//

void ScanOp::build(OpBuilder &builder, OperationState &state, ValueRange inputs,
                   ValueRange initial, ValueRange inits, int64_t axis, bool reverse,
                   BodyBuilder body) {
  build(builder, state, tensorTypes(inits), inputs, initial, inits, axis, reverse);
  SmallVector<Type> types;
  for (Value input : inputs)
    types.push_back(shapedType(input).getElementType());
  llvm::append_range(types, initial.getTypes());
  buildBody(builder, state, types, body);
}

void ScanOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  addEffects(*this, /*readsInits=*/false, effects);
}

LogicalResult ScanOp::verify() {
  if (getInits().empty() || getInputs().empty())
    return emitOpError("needs an input and a destination");
  if (failed(verifyDestinations(*this)))
    return failure();
  ShapedType first = shapedType(getInputs()[0]);
  if (getAxis() >= uint64_t(first.getRank()))
    return emitOpError("needs an axis of its inputs");
  SmallVector<Type> arguments, yields(getInitial().getTypes());
  for (ValueRange part : {ValueRange(getInputs()), ValueRange(getInits())})
    for (Value value : part) {
      ShapedType type = shapedType(value);
      if (type.getRank() != first.getRank() ||
          !llvm::all_of_zip(type.getShape(), first.getShape(), mayEqual))
        return emitOpError("has inputs and destinations of different sizes");
    }
  for (Value input : getInputs())
    arguments.push_back(shapedType(input).getElementType());
  llvm::append_range(arguments, getInitial().getTypes());
  for (Value init : getInits())
    yields.push_back(shapedType(init).getElementType());
  return verifyBody(*this, arguments, yields);
}
