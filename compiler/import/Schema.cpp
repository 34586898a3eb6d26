// SPDX-License-Identifier: Apache-2.0
#include "compiler/import/Schema.h"

#include "compiler/import/Model.h"

#include "onnx/defs/schema.h"

namespace burin {

bool mayBeDouble(llvm::StringRef op, bool isResult, unsigned index) {
  const ::onnx::OpSchema *schema =
      ::onnx::OpSchemaRegistry::Schema(op.str(), int(importer::dialectOpset), "");
  if (!schema)
    return true;
  const auto &parameters = isResult ? schema->outputs() : schema->inputs();
  if (parameters.empty())
    return true;
  // The last may stand for any number.
  const auto &parameter = parameters[std::min<size_t>(index, parameters.size() - 1)];
  return llvm::any_of(parameter.GetTypes(), [](const std::string *type) {
    return llvm::StringRef(*type).contains("tensor(double)");
  });
}

} // namespace burin
