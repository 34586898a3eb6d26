// SPDX-License-Identifier: Apache-2.0
#include "compiler/lower/Lowering.h"

void burin::lower::registerNormalization(RuleTable &table) {}
