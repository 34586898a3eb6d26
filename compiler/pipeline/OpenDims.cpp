// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/OpenDims.h"

#include "dialects/onnx/OnnxOps.h"
#include "dialects/onnx/SizeExpr.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace burin {
namespace {

/// What to add to the command line for the open sizes of the inputs.
class Options {
public:
  void dim(StringRef name) {
    if (!llvm::is_contained(names, name))
      names.push_back(name.str());
  }

  void input(StringRef name, ArrayRef<int64_t> shape) {
    std::string text = " --input " + name.str() + "=";
    for (auto [i, size] : llvm::enumerate(shape))
      text += (i ? "x" : "") + std::to_string(ShapedType::isDynamic(size) ? 1 : size);
    inputs += text;
  }

  std::string text() const {
    std::string text;
    for (const std::string &name : names)
      text += " --dim " + name + "=1";
    return text + inputs;
  }

private:
  std::vector<std::string> names;
  std::string inputs;
};

/// Whether some size of an input is a line in the size and free of others.
bool isTold(func::FuncOp main, StringAttr name) {
  auto tells = [&](StringAttr size) {
    auto expr = onnx::SizeExpr::parse(size);
    auto at = [&](int64_t value) {
      auto with = expr.evaluated([&](StringRef base) {
        return base == name.getValue() ? std::optional(value) : std::nullopt;
      });
      return with ? with->constant() : std::nullopt;
    };
    std::optional<int64_t> none = at(0), one = at(1);
    if (!none || !one || *one <= *none)
      return false;
    auto line = onnx::SizeExpr::name(name).times(*one - *none);
    line = line ? line->plus(*none) : line;
    return line && *line == expr;
  };
  for (Type type : main.getArgumentTypes())
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      if (auto dims = dyn_cast_if_present<onnx::DimsAttr>(tensor.getEncoding()))
        if (llvm::any_of(dims.getNames(), tells))
          return true;
  return false;
}

} // namespace

LogicalResult checkOpenDims(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  auto ranges = module->getAttrOfType<DictionaryAttr>(onnx::dimRangesAttrName);
  Options options;
  std::string found;
  for (auto [index, type] : llvm::enumerate(main.getArgumentTypes())) {
    auto name = main.getArgAttrOfType<StringAttr>(index, "onnx.name").getValue();
    if (isa<UnrankedTensorType>(type)) {
      found += "\n  input '" + name.str() +
               "' has no shape: give it with --input " + name.str() + "=SIZExSIZEx...";
      continue;
    }
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || tensor.hasStaticShape())
      continue;
    auto dims = dyn_cast_if_present<onnx::DimsAttr>(tensor.getEncoding());
    bool nameless = false;
    for (auto [i, size] : llvm::enumerate(tensor.getShape())) {
      if (!ShapedType::isDynamic(size))
        continue;
      StringRef dim = dims ? dims.getNames()[i].getValue() : "";
      std::vector<std::string> open = dim.empty() ? std::vector<std::string>()
                                                  : onnx::SizeExpr::parse(dim).names();
      llvm::erase_if(open, [&](StringRef base) { return ranges && ranges.contains(base); });
      if (!dim.empty() && open.empty())
        continue;
      found += "\n  input '" + name.str() + "', dimension " + std::to_string(i) + ": " +
               (dim.empty() ? "a size without a name" : "'" + dim.str() + "'");
      if (dim.empty())
        nameless = true;
      else
        for (const std::string &base : open)
          options.dim(base);
    }
    if (nameless)
      options.input(name, tensor.getShape());
  }
  if (found.empty() && ranges)
    for (NamedAttribute range : ranges)
      if (!isTold(main, range.getName()))
        return emitError(main.getLoc())
               << "size '" << range.getName().getValue() << "' is in no input alone, nor times a number "
               << "plus a number, so that a run could not tell it; fix it, for example with --dim "
               << range.getName().getValue() << "=1";
  if (found.empty())
    return success();
  std::string add = options.text();
  return emitError(main.getLoc()) << "sizes of the inputs are open:" << found
                                  << (add.empty() ? "" : "\nfix them, for example with" + add);
}

} // namespace burin
