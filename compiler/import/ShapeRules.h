// SPDX-License-Identifier: Apache-2.0
#ifndef BURIN_COMPILER_IMPORT_SHAPERULES_H
#define BURIN_COMPILER_IMPORT_SHAPERULES_H

namespace onnx {
class ISchemaRegistry;
}

namespace burin::importer {

/// ONNX's operators, to infer shapes by.
const ::onnx::ISchemaRegistry &schemasForInference();

} // namespace burin::importer

#endif
