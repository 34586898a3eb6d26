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
  if (found.empty())
    return success();
  std::string add = options.text();
  return emitError(main.getLoc()) << "sizes of the inputs are open:" << found
                                  << (add.empty() ? "" : "\nfix them, for example with" + add);
}

} // namespace burin
