// SPDX-License-Identifier: Apache-2.0
#include "Encoder.h"

#include <algorithm>
#include <cctype>
#include <numeric>

extern "C" const char embed_vocabulary[], embed_vocabulary_end[];

namespace {

constexpr int64_t padding = 0, unknown = 1;

burin::Model model() { return burin::Model(burin_model_sentences()); }

burin::Context makeContext(const burin::Pool &pool) {
  burin::Options options;
  options.pool = &pool;
  return burin::Context::create(model(), options).value();
}

bool isWordCharacter(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '\''; }

} // namespace

Encoder::Encoder() : pool(burin::Pool::create(model()).value()), context(makeContext(pool)) {
  std::string_view text(embed_vocabulary, size_t(embed_vocabulary_end - embed_vocabulary));
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    vocabulary.emplace(text.substr(0, end), int64_t(vocabulary.size()));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

Encoder::Ids Encoder::tokenize(std::string_view sentence) const {
  Ids ids;
  ids.fill(padding);
  size_t count = 0;
  for (size_t at = 0; at < sentence.size() && count < ids.size();) {
    std::string word;
    for (; at < sentence.size() && isWordCharacter(sentence[at]); ++at)
      word += char(std::tolower(static_cast<unsigned char>(sentence[at])));
    if (!word.empty()) {
      auto found = vocabulary.find(word);
      ids[count++] = found == vocabulary.end() ? unknown : found->second;
    }
    while (at < sentence.size() && !isWordCharacter(sentence[at]))
      ++at;
  }
  if (count == 0) // the mean of no words is no vector
    ids[0] = unknown;
  return ids;
}

std::vector<Vector> Encoder::encode(const std::vector<std::string> &sentences) {
  std::vector<Ids> ids;
  std::vector<Vector> vectors(sentences.size());
  for (const std::string &sentence : sentences)
    ids.push_back(tokenize(sentence));
  const int64_t shape[] = {1, int64_t(Ids().size())}; // of each request
  std::vector<burin::Tensor> inputs, outputs;
  for (size_t i = 0; i < sentences.size(); ++i) {
    inputs.emplace_back(ids[i], shape);
    outputs.emplace_back(vectors[i]);
  }
  context.runBatch(uint32_t(sentences.size()), inputs, outputs).orThrow();
  return vectors;
}

float similarity(const Vector &a, const Vector &b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0f);
}
