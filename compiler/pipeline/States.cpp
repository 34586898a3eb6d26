// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/States.h"

#include "compiler/plan/Sizes.h"
#include "compiler/transforms/BindStates.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/onnx/SizeExpr.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace burin {
namespace {

/// How exporters call an input and the output that replaces it, in the order of trust.
constexpr std::pair<StringLiteral, StringLiteral> customs[] = {
    {"past_key_values*", "present_key_values*"},
    {"past_key_values*", "present*"},
    {"past*", "present*"},
    {"*_past", "*_present"},
    {"*.past", "*.present"},
    {"*_in", "*_out"},
    {"in_*", "out_*"},
    {"*", "*_out"},
    {"*", "new_*"},
    {"*", "*_new"},
    {"*", "next_*"},
    {"*0", "*n"}};

/// What the `*` of `pattern` stand for in `text`, the shortest first; nothing where they cannot match.
std::optional<SmallVector<StringRef>> match(StringRef pattern, StringRef text) {
  size_t star = pattern.find('*');
  if (star == StringRef::npos)
    return pattern == text ? std::optional(SmallVector<StringRef>()) : std::nullopt;
  if (!text.consume_front(pattern.take_front(star)))
    return std::nullopt;
  pattern = pattern.drop_front(star + 1);
  for (size_t length = 0; length <= text.size(); ++length)
    if (std::optional<SmallVector<StringRef>> rest = match(pattern, text.drop_front(length))) {
      rest->insert(rest->begin(), text.take_front(length));
      return rest;
    }
  return std::nullopt;
}

/// `pattern` with its `*` replaced.
std::string substitute(StringRef pattern, ArrayRef<StringRef> texts) {
  std::string filled;
  for (char c : pattern)
    if (c == '*') {
      filled += texts.front();
      texts = texts.drop_front();
    } else {
      filled += c;
    }
  return filled;
}

class Pairing {
public:
  explicit Pairing(ModuleOp module)
      : main(module.lookupSymbol<func::FuncOp>("main")), builder(module.getContext()) {
    for (unsigned i = 0; i < main.getNumArguments(); ++i)
      inputs.push_back(nameOf(main.getArgAttrOfType<StringAttr>(i, "onnx.name")));
    for (unsigned i = 0; i < main.getNumResults(); ++i)
      outputs.push_back(nameOf(main.getResultAttrOfType<StringAttr>(i, "onnx.name")));
  }

  LogicalResult add(StringRef wanted) {
    if (wanted == "auto")
      return addByCustom();
    std::string why;
    // Names may hold '=', so that each is tried as the one between the two.
    for (size_t at = wanted.find('='); at != StringRef::npos; at = wanted.find('=', at + 1)) {
      StringRef past = wanted.take_front(at), present = wanted.drop_front(at + 1);
      if (past.count('*') > maxStars || past.count('*') < present.count('*'))
        return emitError(main.getLoc())
               << "--state " << wanted << ": there are at most " << maxStars
               << " '*', and no more behind '=' than before it";
      std::string reason;
      if (addAll(past, present, reason))
        return success();
      if (why.empty())
        why = reason;
    }
    return emitError(main.getLoc())
           << "--state " << wanted << ": "
           << (why.empty() ? "expected PAST=PRESENT, an input and the output that replaces it, or auto"
                           : why);
  }

private:
  static constexpr unsigned maxStars = 4;

  static StringRef nameOf(StringAttr name) { return name ? name.getValue() : ""; }

  /// All that two patterns pair; false, with the reason, where that is nothing or not all exist.
  bool addAll(StringRef past, StringRef present, std::string &reason) {
    std::vector<std::pair<unsigned, unsigned>> found;
    for (auto [i, input] : llvm::enumerate(inputs)) {
      std::optional<SmallVector<StringRef>> texts = match(past, input);
      if (!texts)
        continue;
      std::string name = substitute(present, *texts);
      auto output = llvm::find(outputs, name);
      if (output == outputs.end()) {
        reason = "the model has no output '" + name + "'" + nearest(name, outputs);
        return false;
      }
      found.push_back({unsigned(i), unsigned(output - outputs.begin())});
    }
    if (found.empty())
      reason = "the model has no input '" + past.str() + "'" + nearest(past, inputs);
    for (auto [input, output] : found)
      if (!isFree(input, output)) {
        reason = "'" + inputs[input].str() + "' or '" + outputs[output].str() + "' is in another pair";
        return false;
      }
    for (auto [input, output] : found)
      pair(input, output);
    return !found.empty();
  }

  LogicalResult addByCustom() {
    bool any = false;
    for (auto [past, present] : customs)
      for (auto [i, input] : llvm::enumerate(inputs))
        if (std::optional<SmallVector<StringRef>> texts = match(past, input)) {
          auto output = llvm::find(outputs, substitute(present, *texts));
          unsigned at = unsigned(output - outputs.begin());
          if (output == outputs.end() || !isFree(unsigned(i), at) || !isAlike(unsigned(i), at))
            continue;
          pair(unsigned(i), at);
          any = true;
        }
    if (any)
      return success();
    return emitError(main.getLoc())
           << "--state auto finds no input that an output replaces; name them with --state PAST=PRESENT."
           << "\n  inputs: " << llvm::join(inputs, ", ") << "\n  outputs: " << llvm::join(outputs, ", ");
  }

  /// Whether types, as far as the file tells them, do not say that two are different things.
  bool isAlike(unsigned input, unsigned output) {
    auto past = dyn_cast<ShapedType>(main.getArgumentTypes()[input]),
         present = dyn_cast<ShapedType>(main.getResultTypes()[output]);
    if (!past || !present || past.getElementType() != present.getElementType())
      return false;
    if (!past.hasRank() || !present.hasRank())
      return true;
    if (past.getRank() != present.getRank())
      return false;
    unsigned grown = 0;
    for (auto [from, to] : llvm::zip_equal(past.getShape(), present.getShape())) {
      if (ShapedType::isDynamic(from) || ShapedType::isDynamic(to) || from == to)
        continue;
      ++grown;
    }
    return grown <= 1;
  }

  bool isFree(unsigned input, unsigned output) {
    return !plan::stateOf(main, input) && !main.getResultAttr(output, plan::stateAttrName);
  }

  void pair(unsigned input, unsigned output) {
    main.setArgAttr(input, plan::stateAttrName,
                    plan::StateAttr::get(main.getContext(), builder.getStringAttr(outputs[output])));
    main.setResultAttr(output, plan::stateAttrName, builder.getI64IntegerAttr(input));
  }

  /// "; did you mean 'x'? There are: ..."
  static std::string nearest(StringRef wanted, ArrayRef<StringRef> names) {
    StringRef best;
    unsigned least = unsigned(wanted.size()) / 2 + 1;
    for (StringRef name : names)
      if (unsigned distance = wanted.edit_distance(name, true, least); distance < least) {
        least = distance;
        best = name;
      }
    if (!best.empty())
      return "; did you mean '" + best.str() + "'?";
    constexpr size_t shown = 24;
    return "; there are: " + llvm::join(names.take_front(shown), ", ") +
           (names.size() > shown ? ", ..." : "");
  }

  func::FuncOp main;
  Builder builder;
  std::vector<StringRef> inputs, outputs;
};

StringRef dimName(RankedTensorType type, unsigned dim) {
  auto dims = dyn_cast_if_present<onnx::DimsAttr>(type.getEncoding());
  return dims && type.isDynamicDim(dim) ? dims.getNames()[dim].getValue() : "";
}

/// What is kept from run to run needs memory of a known size.
LogicalResult checkOpenSizes(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  auto ranges = module->getAttrOfType<DictionaryAttr>(onnx::dimRangesAttrName);
  for (auto [i, type] : llvm::enumerate(main.getArgumentTypes())) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!plan::stateOf(main, unsigned(i)) || !tensor)
      continue;
    for (int64_t d = 0; d < tensor.getRank(); ++d) {
      StringRef size = dimName(tensor, unsigned(d));
      std::vector<std::string> names = onnx::SizeExpr::parse(size).names();
      auto isGiven = [&](const std::string &name) { return ranges && ranges.contains(name); };
      if (!tensor.isDynamicDim(d) || (!size.empty() && llvm::all_of(names, isGiven)))
        continue;
      auto name = main.getArgAttrOfType<StringAttr>(unsigned(i), "onnx.name").getValue();
      if (size.empty())
        return emitError(main.getLoc())
               << "the state '" << name << "' has no name for its size along dimension " << d
               << ", which is open; give the input's shape with --input " << name
               << "=SIZExSIZEx..., or the size a name in the model";
      return emitError(main.getLoc())
             << "no option says what '" << size << "' is, which the state '" << name
             << "' has along dimension " << d << "; add --dim " << size
             << "=0..MOST where it grows, else --dim " << size << "=SIZE";
    }
  }
  return success();
}

/// Gives the state `argument` the room that it has in another variant.
void takeRoom(func::FuncOp main, unsigned argument, ModuleOp largest) {
  auto other = largest.lookupSymbol<func::FuncOp>("main");
  plan::StateAttr grown = plan::stateOf(other, argument);
  if (!grown || !grown.grows())
    return;
  ArrayRef<int64_t> shape = cast<RankedTensorType>(other.getArgumentTypes()[argument]).getShape();
  main.setArgAttr(argument, stateRoomAttrName,
                  Builder(main.getContext()).getI64IntegerAttr(shape[grown.getAxis()]));
}

} // namespace

LogicalResult pairStates(ModuleOp module, ArrayRef<std::string> wanted) {
  if (wanted.empty())
    return success();
  Pairing pairing(module);
  for (const std::string &one : wanted)
    if (failed(pairing.add(one)))
      return failure();
  return checkOpenSizes(module);
}

LogicalResult settleStates(ModuleOp module, ModuleOp largest) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  auto ranges = module->getAttrOfType<DictionaryAttr>(onnx::dimRangesAttrName);
  bool sound = true;
  for (unsigned r = 0; r < main.getNumResults(); ++r) {
    std::optional<unsigned> index = plan::stateOfResult(main, r);
    if (!index)
      continue;
    auto refuse = [&] {
      sound = false;
      auto name = main.getArgAttrOfType<StringAttr>(*index, "onnx.name");
      return emitError(main.getLoc()) << "--state " << name.getValue() << "="
                                      << plan::stateOf(main, *index).getOutput().getValue() << ": ";
    };
    auto past = dyn_cast<RankedTensorType>(main.getArgumentTypes()[*index]),
         present = dyn_cast<RankedTensorType>(main.getResultTypes()[r]);
    if (!past || !present || past.getElementType() != present.getElementType() ||
        past.getRank() != present.getRank()) {
      refuse() << "the input is " << plan::textOf(main.getArgumentTypes()[*index]) << " and the output "
               << plan::textOf(main.getResultTypes()[r]) << "; both have to be of one type and rank";
      continue;
    }
    SmallVector<int64_t> grown;
    for (int64_t d = 0; d < past.getRank(); ++d) {
      bool isSame = past.getDimSize(d) == present.getDimSize(d) &&
                    (!past.isDynamicDim(d) || (!dimName(past, d).empty() &&
                                               dimName(past, d) == dimName(present, d)));
      if (!isSame)
        grown.push_back(d);
    }
    if (grown.empty() && past.hasStaticShape())
      continue;
    if (grown.size() != 1) {
      refuse() << "the input is " << plan::textOf(past) << " and the output " << plan::textOf(present)
               << "; one size has to grow, and all others to be the same and fixed (--dim NAME=SIZE)";
      continue;
    }
    int64_t axis = grown.front();
    if (largest)
      takeRoom(main, *index, largest);
    if (!past.isDynamicDim(axis)) {
      auto names = main.getArgAttrOfType<ArrayAttr>(*index, "onnx.dim_names");
      auto name = names ? cast<StringAttr>(names[axis]) : StringAttr();
      InFlightDiagnostic refusal = refuse();
      refusal << "the input has " << past.getDimSize(axis) << " rows along dimension " << axis
              << " and the output " << plan::textOf(present) << "; what grows needs a range: ";
      if (name && !name.empty())
        refusal << "say --dim " << name.getValue() << "=0..MOST, with no sizes beside it";
      else
        refusal << "leave that size to a name in the model, and say --dim NAME=0..MOST";
      continue;
    }
    StringRef length = dimName(past, axis);
    auto range = ranges ? ranges.getAs<DenseI64ArrayAttr>(length) : nullptr;
    if (!range)
      refuse() << "no option bounds the size that grows; add --dim "
               << (length.empty() ? "NAME" : length) << "=0..MOST";
    else if (range[0] > 0)
      emitWarning(main.getLoc())
          << "the state '" << main.getArgAttrOfType<StringAttr>(*index, "onnx.name").getValue()
          << "' begins empty, and a run takes it from length " << range[0]
          << " on: fill it and set its length (burin_model.state_set_length) before the first, or "
             "compile with --dim " << length << "=0..MOST";
  }
  return success(sound);
}

LogicalResult checkSharedStates(ModuleOp first, ModuleOp other) {
  auto main = first.lookupSymbol<func::FuncOp>("main"), variant = other.lookupSymbol<func::FuncOp>("main");
  for (auto [i, types] : llvm::enumerate(
           llvm::zip_equal(main.getArgumentTypes(), variant.getArgumentTypes()))) {
    auto [here, there] = types;
    if (here == there || !plan::stateOf(main, i))
      continue;
    auto name = main.getArgAttrOfType<StringAttr>(i, "onnx.name");
    return emitError(main.getLoc())
           << "--state " << name.getValue() << "=" << plan::stateOf(main, i).getOutput().getValue()
           << ": all variants share it, but --dim makes it " << plan::textOf(here) << " in one and "
           << plan::textOf(there)
           << " in another; give all of its sizes but the length one value, and let ranges hold the "
              "fixed sizes beside them";
  }
  return success();
}

} // namespace burin
