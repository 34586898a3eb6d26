// SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/Signature.h"

#include "dialects/plan/PlanOps.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace burin {

static std::vector<plan::RangeAttr> rangesOf(func::FuncOp main, StringRef attribute) {
  std::vector<plan::RangeAttr> ranges;
  if (auto list = main->getAttrOfType<ArrayAttr>(attribute))
    llvm::append_range(ranges, list.getAsRange<plan::RangeAttr>());
  return ranges;
}

Signature::Signature(ModuleOp planned) {
  for (auto main : planned.getOps<func::FuncOp>()) {
    std::string name;
    for (plan::RangeAttr range : rangesOf(main, plan::variantAttrName))
      name += (name.empty() ? "" : " ") + plan::textOf(range.getName(), {range.getMin(), range.getMax()});
    variants.push_back({main, plan::ModelSizes(main), name});
  }
  if (variants.empty())
    return;
  nameDims();
  func::FuncOp first = variants.front().main;
  for (unsigned i = 0; i < first.getNumArguments(); ++i)
    if (!plan::stateOf(first, i))
      inputs.push_back(tensor([&](func::FuncOp main) { return main.getArgument(i); },
                              first.getArgAttrDict(i), "input" + Twine(i)));
  for (unsigned i = 0; i < first.getNumResults(); ++i)
    if (!plan::stateOfResult(first, i))
      outputs.push_back(tensor(
        [&](func::FuncOp main) { return main.getBody().front().getTerminator()->getOperand(i); },
        first.getResultAttrDict(i), "output" + Twine(i)));
  for (unsigned i = 0; i < first.getNumArguments(); ++i)
    if (plan::stateOf(first, i))
      addState(i);
  if (auto found = planned->getAttrOfType<plan::BatchAttr>(plan::batchAttrName))
    for (unsigned d = 0; d < namedDims; ++d)
      if (dims[d].name == found.getDim().getValue()) {
        batch = Batch{d, found.getInputs().vec()};
        llvm::append_range(batch->axes, found.getOutputs());
      }
}

/// The sizes that options name: those that a variant lists, fixed ones among them, or the ranges
/// of the only one.
void Signature::nameDims() {
  func::FuncOp first = variants.front().main;
  bool isOne = !first->hasAttr(plan::variantAttrName);
  llvm::StringSet<> measured; // what the data decide is no part of a request
  first.walk([&](plan::MeasureOp op) { measured.insert(op.getName()); });
  for (plan::RangeAttr named : rangesOf(first, isOne ? plan::dimsAttrName : plan::variantAttrName)) {
    if (measured.contains(named.getName().getValue()))
      continue;
    Dim dim{named.getName().str(), {named.getMin(), named.getMax()}, {}, BURIN_DIM_FREE};
    for (Variant &variant : variants) {
      AffineExpr value;
      for (auto [i, open] : llvm::enumerate(rangesOf(variant.main, plan::dimsAttrName)))
        if (open.getName() == named.getName())
          value = getAffineSymbolExpr(i, named.getContext());
      for (plan::RangeAttr given : rangesOf(variant.main, plan::variantAttrName))
        if (!value && given.getName() == named.getName())
          value = getAffineConstantExpr(given.getMin(), named.getContext());
      plan::Interval range = variant.sizes.range(value).value_or(plan::Interval{0, 0});
      dim.range = {std::min(dim.range.min, range.min), std::max(dim.range.max, range.max)};
      dim.values.push_back(value);
    }
    dims.push_back(std::move(dim));
  }
  namedDims = unsigned(dims.size());
}

TensorSignature Signature::tensor(function_ref<Value(func::FuncOp)> of, DictionaryAttr attrs,
                                  const Twine &fallback) {
  auto get = [&](StringRef name) { return attrs ? attrs.get(name) : Attribute(); };
  auto named = dyn_cast_or_null<StringAttr>(get("onnx.name"));
  auto typed = dyn_cast_or_null<TypeAttr>(get("onnx.type"));
  auto dimNames = dyn_cast_or_null<ArrayAttr>(get("onnx.dim_names"));
  auto type = cast<RankedTensorType>(of(variants.front().main).getType());
  TensorSignature result;
  result.name = named ? named.getValue().str() : fallback.str();
  result.element = getElementTypeOrSelf(typed ? typed.getValue() : Type(type));
  std::vector<std::vector<AffineExpr>> sizes(size_t(type.getRank()));
  for (Variant &variant : variants) {
    Value value = of(variant.main);
    // The planner has seen to it that there is a bound.
    result.maxBytes = std::max(result.maxBytes, variant.sizes.maxBytes(value).value_or(0));
    for (auto [all, one] : llvm::zip_equal(sizes, variant.sizes.of(value)))
      all.push_back(one);
  }
  for (auto [i, values] : llvm::enumerate(sizes)) {
    bool isNamed = dimNames && dimNames.size() == sizes.size();
    result.dimNames.push_back(isNamed ? cast<StringAttr>(dimNames[i]).getValue().str() : "");
    result.shape.push_back(size(values, result.dimNames.back()));
  }
  return result;
}

void Signature::addState(unsigned argument) {
  func::FuncOp first = variants.front().main;
  plan::StateAttr attr = plan::stateOf(first, argument);
  StateSignature state;
  static_cast<TensorSignature &>(state) =
      tensor([&](func::FuncOp main) { return main.getArgument(argument); },
             first.getArgAttrDict(argument), "state" + Twine(argument));
  state.output = attr.getOutput().str();
  if (auto place = first.getArgAttrOfType<plan::PlaceAttr>(argument, plan::placeAttrName))
    state.offset = place.getAt();
  if (attr.grows()) {
    state.axis = attr.getAxis();
    auto known = llvm::find_if(dims, [&](const Dim &dim) { return dim.name == attr.getLength(); });
    state.length = unsigned(known - dims.begin());
    known->kind = BURIN_DIM_LENGTH;
    std::vector<AffineExpr> next;
    for (Variant &variant : variants)
      next.push_back(plan::stateOf(variant.main, argument).getNext().getAffineMap().getResult(0));
    state.next = unsigned(-1 - size(next, ""));
  }
  states.push_back(std::move(state));
}

/// A number where all variants have the same one, else -1 - d for a dim that is made where there
/// is none yet.
int64_t Signature::size(std::vector<AffineExpr> values, StringRef name) {
  if (auto fixed = dyn_cast<AffineConstantExpr>(values.front());
      fixed && llvm::all_equal(values))
    return fixed.getValue();
  auto known = llvm::find_if(dims, [&](const Dim &dim) { return dim.values == values; });
  if (known != dims.end())
    return -1 - (known - dims.begin());
  Dim dim{name.str(), {INT64_MAX, 0}, values, BURIN_DIM_COMPUTED};
  if (name.empty() || llvm::any_of(dims, [&](const Dim &other) { return other.name == name; }))
    dim.name = variants.back().sizes.textOf(values.back());
  for (auto [variant, value] : llvm::zip_equal(variants, values)) {
    plan::Interval range = variant.sizes.range(value).value_or(plan::Interval{0, 0});
    dim.range = {std::min(dim.range.min, range.min), std::max(dim.range.max, range.max)};
    if (variant.sizes.isMeasured(value))
      dim.kind = BURIN_DIM_DATA;
  }
  dims.push_back(std::move(dim));
  return -int64_t(dims.size());
}

} // namespace burin
