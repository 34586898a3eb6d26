// SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/Artifact.h"
#include "compiler/emit/Program.h"
#include "compiler/plan/Sizes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace burin {
namespace {

std::string macro(StringRef text) {
  std::string result;
  for (char c : text)
    result += llvm::isAlnum(c) ? char(llvm::toUpper(c)) : '_';
  return result;
}

std::string cType(Type element) {
  if (element.isF32())
    return "float";
  if (element.isF64())
    return "double";
  if (auto integer = dyn_cast<IntegerType>(element); integer && integer.getWidth() >= 8)
    return (integer.isUnsigned() ? "uint" : "int") + std::to_string(integer.getWidth()) + "_t";
  return "uint8_t"; // bool, and types that C has no name for
}

void describe(llvm::raw_ostream &out, const std::string &prefix, StringRef kind, Value tensor,
              DictionaryAttr attrs, unsigned index, plan::ModelSizes &sizes) {
  auto typed = dyn_cast_or_null<TypeAttr>(attrs ? attrs.get("onnx.type") : Attribute());
  Type storage = tensor.getType();
  auto named = dyn_cast_or_null<StringAttr>(attrs ? attrs.get("onnx.name") : Attribute());
  auto type = cast<RankedTensorType>(typed ? typed.getValue() : storage);
  std::string name = prefix + "_" + kind.str() + std::to_string(index);
  out << "/* " << kind.lower() << " " << index << ": ";
  for (char c : named ? named.getValue() : StringRef(""))
    out << (c == '*' || c == '/' || !llvm::isPrint(c) ? '_' : c);
  out << ", " << cType(type.getElementType());
  int64_t elements = 1;
  for (AffineExpr size : sizes.of(tensor)) {
    plan::Interval range = sizes.range(size).value_or(plan::Interval{0, 0});
    out << "[" << range.min;
    if (range.max != range.min)
      out << " to " << range.max;
    out << "]";
    elements *= range.max;
  }
  out << " */\n#define " << name << "_ELEMENTS " << elements
      << (type.hasStaticShape() ? "\n" : " /* at most */\n");
  out << "typedef " << cType(type.getElementType()) << " " << StringRef(name).lower()
      << "_element;\n";
}

} // namespace

llvm::Error writeHeader(StringRef path, ModuleOp planned, StringRef modelName,
                        const ProgramSummary &summary) {
  auto main = planned.lookupSymbol<func::FuncOp>("main");
  std::string prefix = macro(modelName), guard = "BURIN_MODEL_" + prefix + "_H";
  return writeWhole(path, [&](llvm::raw_ostream &out) {
    out << "/* Made by burin " BURIN_VERSION ". The model's sizes and its entry point; see "
           "burin/burin.h. */\n"
        << "#ifndef " << guard << "\n#define " << guard << "\n\n#include \"burin/burin.h\"\n\n"
        << "#define " << prefix << "_INPUTS " << main.getNumArguments() << "\n"
        << "#define " << prefix << "_OUTPUTS " << main.getNumResults() << "\n"
        << "/* What create takes for one worker; each further worker adds the scratch. */\n"
        << "#define " << prefix << "_ARENA_BYTES " << summary.arenaBytes() << "ull\n"
        << "#define " << prefix << "_SCRATCH_BYTES " << summary.scratchBytes << "ull\n"
        << "#define " << prefix << "_WEIGHTS_BYTES " << summary.weightsBytes << "ull\n\n";
    plan::ModelSizes sizes(main);
    for (auto [i, value] : llvm::enumerate(main.getArguments()))
      describe(out, prefix, "INPUT", value, main.getArgAttrDict(i), i, sizes);
    for (auto [i, value] : llvm::enumerate(main.getBody().front().getTerminator()->getOperands()))
      describe(out, prefix, "OUTPUT", value, main.getResultAttrDict(i), i, sizes);
    out << "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n"
        << "const burin_model *burin_model_" << modelName << "(void);\n"
        << "#ifdef __cplusplus\n}\n#endif\n#endif\n";
    return llvm::Error::success();
  });
}

} // namespace burin
