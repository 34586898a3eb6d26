// SPDX-License-Identifier: Apache-2.0
//
// What ONNX's version converter lacks, or gets wrong.

#ifndef BURIN_COMPILER_IMPORT_ADAPTERS_H
#define BURIN_COMPILER_IMPORT_ADAPTERS_H

#include "onnx/version_converter/BaseConverter.h"

namespace burin::importer {

/// Adds our adapters, which take the place of the converter's own for the same step.
void registerAdapters(::onnx::version_conversion::BaseVersionConverter &converter);

} // namespace burin::importer

#endif
