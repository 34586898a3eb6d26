// SPDX-License-Identifier: Apache-2.0
#include "compiler/import/Schema.h"

#include "compiler/import/Model.h"

#include "onnx/defs/schema.h"

namespace burin {

bool mayBeDouble(llvm::StringRef op, unsigned operand) {
  const ::onnx::OpSchema *schema =
      ::onnx::OpSchemaRegistry::Schema(op.str(), int(importer::dialectOpset), "");
  if (!schema || schema->inputs().empty())
    return true;
  // The last may stand for any number.
  const auto &parameter = schema->inputs()[std::min<size_t>(operand, schema->inputs().size() - 1)];
  return llvm::any_of(parameter.GetTypes(), [](const std::string *type) {
    return llvm::StringRef(*type).contains("tensor(double)");
  });
}

} // namespace burin
