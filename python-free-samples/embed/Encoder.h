// SPDX-License-Identifier: Apache-2.0
//
// Sentences to vectors whose inner product says how alike they are, from -1 to 1.

#ifndef EMBED_ENCODER_H
#define EMBED_ENCODER_H

#include "sentences.h"

#include <burin/burin.hpp>

#include <array>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

/// How many sentences the model runs as one; constants of its header tell of so many.
constexpr size_t mostSentences = SENTENCES_BATCH_MAX;

/// A sentence's meaning: of unit length.
using Vector = std::array<float, SENTENCES_VECTOR_ELEMENTS / mostSentences>;

class Encoder {
public:
  /// Throws burin::Error where the model does not run on this machine.
  Encoder();

  /// The vectors of all sentences, `mostSentences` in a batch. English; words that the encoder does not know
  /// count for little. Of a sentence the first 16 words count.
  std::vector<Vector> encode(const std::vector<std::string> &sentences);

private:
  using Ids = std::array<int64_t, SENTENCES_IDS_ELEMENTS / mostSentences>;
  Ids tokenize(std::string_view sentence) const;

  std::unordered_map<std::string_view, int64_t> vocabulary;
  burin::Pool pool;
  burin::Context context;
};

/// How alike two sentences are.
float similarity(const Vector &a, const Vector &b);

#endif
