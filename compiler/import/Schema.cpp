// SPDX-License-Identifier: Apache-2.0
#include "compiler/import/Schema.h"

#include "compiler/import/Model.h"
#include "dialects/onnx/ElementTypes.h"
#include "dialects/onnx/OnnxOps.h"

#include "llvm/ADT/StringExtras.h"
#include "onnx/defs/schema.h"

using namespace mlir;

namespace burin {
namespace {

/// How ONNX writes the type of a tensor of such elements; null where it has none.
const std::string *nameOf(Type element) {
  ::onnx::TypeProto type;
  type.mutable_tensor_type()->set_elem_type(int32_t(onnx::dataTypeOf(element)));
  try {
    return type.tensor_type().elem_type() ? ::onnx::Utils::DataTypeUtils::ToType(type) : nullptr;
  } catch (const std::exception &) { // of a type that it does not know
    return nullptr;
  }
}

LogicalResult checkOperands(Operation *op, const ::onnx::OpSchema &schema) {
  const auto &parameters = schema.inputs();
  std::map<std::string, std::pair<unsigned, Type>> bound; // type variables of the operator
  for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
    if (parameters.empty())
      continue;
    const auto &parameter = parameters[std::min(i, parameters.size() - 1)];
    bool isSequence = isa<onnx::SequenceType>(operand.getType()), isOptional = isa<onnx::OptionalType>(operand.getType());
    auto takes = [&](StringRef kind) {
      return parameter.GetTypes().empty() || llvm::any_of(parameter.GetTypes(), [&](const std::string *type) {
               return StringRef(*type).contains(kind);
             });
    };
    if ((isSequence && !takes("seq(")) || (isOptional && !takes("optional(")))
      return op->emitOpError() << "operand " << i << (isSequence ? " is a sequence" : " is an optional")
                               << ", but it takes a tensor; take one out of it with "
                               << (isSequence ? "SequenceAt or ConcatFromSequence" : "OptionalGetElement");
    auto tensor = dyn_cast<TensorType>(operand.getType());
    if (!tensor)
      continue;
    const std::string *name = nameOf(tensor.getElementType());
    if (!name)
      continue;
    if (!parameter.GetTypes().empty() && !parameter.GetTypes().count(name)) {
      std::vector<StringRef> allowed;
      for (const std::string *type : parameter.GetTypes())
        if (StringRef(*type).starts_with("tensor("))
          allowed.push_back(*type);
      llvm::sort(allowed);
      return op->emitOpError() << "operand " << i << " is " << *name << ", but it takes "
                               << llvm::join(allowed, ", ") << "; cast it";
    }
    bool isVariable = parameter.GetOption() != ::onnx::OpSchema::Variadic || parameter.GetIsHomogeneous();
    auto [first, isNew] = bound.try_emplace(parameter.GetTypeStr(), i, tensor.getElementType());
    if (isVariable && !isNew && first->second.second != tensor.getElementType())
      return op->emitOpError() << "operands " << first->second.first << " and " << i
                               << " differ in element type; cast one of them";
  }
  return success();
}

} // namespace

LogicalResult checkOperandTypes(ModuleOp module) {
  bool isGood = true;
  module.walk([&](onnx::OnnxOpInterface op) {
    const ::onnx::OpSchema *schema = ::onnx::OpSchemaRegistry::Schema(
        op->getName().stripDialect().str(), int(importer::dialectOpset), "");
    isGood &= !schema || succeeded(checkOperands(op, *schema));
  });
  return success(isGood);
}

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
