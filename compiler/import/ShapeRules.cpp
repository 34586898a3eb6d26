// SPDX-License-Identifier: Apache-2.0
//
// ONNX's operators as its shape inference is to see them. Its rule for Attention takes a length of the
// keys that is open for 0, and says so of the scores and all that is computed from them.

#include "compiler/import/ShapeRules.h"

#include "compiler/import/Model.h"

#include "onnx/defs/schema.h"

#include <map>

using namespace ::onnx;

namespace burin::importer {
namespace {

/// What ONNX infers, less the length of rows of scores, which the dialect's own rule tells.
void inferAttention(const InferenceFunction &infer, InferenceContext &context) {
  infer(context);
  constexpr size_t scores = 3;
  constexpr int lengthAt = 3;
  if (context.getNumOutputs() <= scores)
    return;
  TypeProto *type = context.getOutputType(scores);
  if (type->tensor_type().shape().dim_size() > lengthAt)
    type->mutable_tensor_type()->mutable_shape()->mutable_dim(lengthAt)->clear_value();
}

class Registry : public ISchemaRegistry {
public:
  Registry() {
    for (int version = 1; version <= dialectOpset; ++version)
      if (const OpSchema *schema = OpSchemaRegistry::Schema("Attention", version, ""))
        attention.try_emplace(schema, *schema);
    for (auto &[original, own] : attention)
      own.TypeAndShapeInferenceFunction(
          [infer = original->GetTypeAndShapeInferenceFunction()](InferenceContext &context) {
            inferAttention(infer, context);
          });
  }

  const OpSchema *GetSchema(const std::string &name, int version,
                            const std::string &domain) const override {
    const OpSchema *schema = OpSchemaRegistry::Schema(name, version, domain);
    auto own = attention.find(schema);
    return own == attention.end() ? schema : &own->second;
  }

private:
  std::map<const OpSchema *, OpSchema> attention; // by what ONNX has, of each version
};

} // namespace

const ISchemaRegistry &schemasForInference() {
  static const Registry registry;
  return registry;
}

} // namespace burin::importer
