// Answers lines of JSON with a bundle for ONNX Runtime, as `lingopress predict` and `embed` do.
//
//   $ echo '"It rains."' | ./bundle int8
//   {"label":"weather","scores":{"sport":0.02,"weather":0.98}}
//
// A line is a text, a pair of texts, or of a tagger a list of words. An answer has the label and the
// share of each, the labels of a model of several, a score, the tags of the words, or a vector of
// length 1. Models of spans and choices are not run here. `--ids` writes the ids of tokens instead.

#include <onnxruntime_c_api.h>
#include <unicode/utf8.h>

#include <cmath>
#include <iostream>
#include <sstream>

#include "unigram.hpp"

using Json = nlohmann::ordered_json;
using Ids = Unigram::Ids;

static const OrtApi* const ort = OrtGetApiBase()->GetApi(ORT_API_VERSION);

static void check(OrtStatus* status) {
  if (!status) return;
  const std::string message = ort->GetErrorMessage(status);
  ort->ReleaseStatus(status);
  throw std::runtime_error(message);
}

static Json read(const std::string& path, bool optional = false) {
  std::ifstream file(path);
  if (file) return Json::parse(file);
  if (optional) return Json::object();
  throw std::runtime_error(path + " cannot be read");
}

// On x86 without VNNI the fastest products of int8 overflow.
static bool has_vnni() {
  std::ifstream file("/proc/cpuinfo");
  std::stringstream text;
  text << file.rdbuf();
  return text.str().find("vnni") != std::string::npos;
}

// A graph, opened once, that gives one output for one row of ids.
class Graph {
 public:
  Graph(const std::string& path, std::string output) : output_(std::move(output)) {
    if (!ort) throw std::runtime_error("the library of ONNX Runtime is older than its header");
    check(ort->CreateEnv(ORT_LOGGING_LEVEL_WARNING, "bundle", &env_));
    OrtSessionOptions* options = nullptr;
    check(ort->CreateSessionOptions(&options));
    check(ort->SetIntraOpNumThreads(options, 1));
    if (!has_vnni()) check(ort->AddSessionConfigEntry(options, "session.x64quantprecision", "1"));
    check(ort->CreateSession(env_, path.c_str(), options, &session_));
    ort->ReleaseSessionOptions(options);
    check(ort->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory_));
  }

  ~Graph() {
    ort->ReleaseMemoryInfo(memory_);
    ort->ReleaseSession(session_);
    ort->ReleaseEnv(env_);
  }

  Graph(const Graph&) = delete;

  std::vector<float> operator()(Ids ids) const {
    Ids mask(ids.size(), 1);
    const char* names[] = {"input_ids", "attention_mask"};
    const char* wanted[] = {output_.c_str()};
    OrtValue* inputs[] = {tensor(ids), tensor(mask)};
    OrtValue* result = nullptr;
    OrtStatus* status = ort->Run(session_, nullptr, names, inputs, 2, wanted, 1, &result);
    for (OrtValue* input : inputs) ort->ReleaseValue(input);
    check(status);
    OrtTensorTypeAndShapeInfo* shape = nullptr;
    check(ort->GetTensorTypeAndShape(result, &shape));
    size_t count = 0;
    check(ort->GetTensorShapeElementCount(shape, &count));
    ort->ReleaseTensorTypeAndShapeInfo(shape);
    float* data = nullptr;
    check(ort->GetTensorMutableData(result, reinterpret_cast<void**>(&data)));
    std::vector<float> values(data, data + count);
    ort->ReleaseValue(result);
    return values;
  }

 private:
  std::string output_;
  OrtEnv* env_ = nullptr;
  OrtSession* session_ = nullptr;
  OrtMemoryInfo* memory_ = nullptr;

  OrtValue* tensor(Ids& values) const {
    const int64_t shape[] = {1, static_cast<int64_t>(values.size())};
    OrtValue* value = nullptr;
    check(ort->CreateTensorWithDataAsOrtValue(memory_, values.data(), values.size() * sizeof(int64_t),
                                              shape, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, &value));
    return value;
  }
};

class Bundle {
 public:
  explicit Bundle(const std::string& folder)
      : card_(read(folder + "/bundle.json")),
        tokenizer_(folder + "/tokenizer.json"),
        labels_(card_.at("labels").get<std::vector<std::string>>()),
        longest_(card_.at("max_length")),
        graph_(folder + "/" + card_.at("file").get<std::string>(),
               labels_.empty() ? "hidden_states." + card_.at("layers").dump() : "logits") {
    const std::string kind = read(folder + "/config.json").at("architectures").at(0);
    tagger_ = kind.find("TokenClassification") != std::string::npos;
    if (!labels_.empty() && !tagger_ && kind.find("SequenceClassification") == std::string::npos) {
      throw std::runtime_error("this example runs no " + kind);
    }
    if (!labels_.empty()) return;
    const auto pooling = read(folder + "/1_Pooling/config.json", true);
    first_ = pooling.value("pooling_mode", "") == "cls" || pooling.value("pooling_mode_cls_token", false);
    const auto prompts = read(folder + "/config_sentence_transformers.json", true);
    const auto name = prompts.value("default_prompt_name", Json());
    if (name.is_string()) prefix_ = prompts.at("prompts").at(name.get<std::string>());
    const auto sizes = read(folder + "/sentence_bert_config.json", true);
    longest_ = std::min(longest_, sizes.value("max_seq_length", longest_));
  }

  Json answer(const Json& row) const {
    if (tagger_) return {{"tags", tags(words(row))}};
    const Ids row_ids = ids(row);
    if (labels_.empty()) return vector(row_ids);
    return named(graph_(row_ids));
  }

  Ids ids(const Json& row) const {
    if (!row.is_array()) {
      return tokenizer_.sequence(tokenizer_.pieces(prefix_ + row.get<std::string>()), longest_);
    }
    return tokenizer_.sequence(tokenizer_.pieces(row.at(0)), tokenizer_.pieces(row.at(1)), longest_);
  }

 private:
  Json card_;
  Unigram tokenizer_;
  std::vector<std::string> labels_;
  size_t longest_;
  Graph graph_;
  bool tagger_ = false, first_ = false;
  std::string prefix_;

  Json named(const std::vector<float>& logits) const {
    const std::string answers = card_.value("answers", "label");
    const size_t best = std::max_element(logits.begin(), logits.end()) - logits.begin();
    std::vector<double> values(logits.begin(), logits.end());
    if (answers == "label") {
      double sum = 0;
      for (double& value : values) sum += value = std::exp(value - logits[best]);
      for (double& value : values) value /= sum;
    } else if (answers == "labels") {
      for (double& value : values) value = 1 / (1 + std::exp(-value));
    }
    Json scores, chosen = Json::array();
    for (size_t i = 0; i < labels_.size(); i++) {
      scores[labels_[i]] = values[i];
      if (logits[i] >= 0) chosen.push_back(labels_[i]);
    }
    if (answers == "score") return labels_.size() == 1 ? Json{{"score", values[0]}} : Json{{"scores", scores}};
    if (answers == "labels") return {{"labels", chosen}, {"scores", scores}};
    return {{"label", labels_[best]}, {"scores", scores}};
  }

  Json vector(const Ids& ids) const {
    const auto states = graph_(ids);
    const size_t width = states.size() / ids.size(), tokens = first_ ? 1 : ids.size();
    std::vector<double> sum(width);
    for (size_t i = 0; i < tokens * width; i++) sum[i % width] += states[i];
    double length = 0;
    for (const double value : sum) length += value * value;
    std::vector<float> unit;
    for (const double value : sum) unit.push_back(static_cast<float>(value / std::sqrt(length)));
    return unit;
  }

  // Python's str.split: Unicode's white space, and the four separators of ASCII.
  static bool is_space(UChar32 c) { return u_isUWhiteSpace(c) || (c >= 0x1C && c <= 0x1F); }

  static std::vector<std::string> words(const Json& row) {
    if (row.is_array()) return row;
    const std::string text = row;
    const auto size = static_cast<int32_t>(text.size());
    std::vector<std::string> found{""};
    for (int32_t start = 0, end = 0; end < size; start = end) {
      UChar32 c;
      U8_NEXT(text.data(), end, size, c);
      if (!is_space(c)) found.back().append(text, start, end - start);
      else if (!found.back().empty()) found.emplace_back();
    }
    if (found.back().empty()) found.pop_back();
    return found;
  }

  // The tag of each word's first token; long sentences run in windows that end between words.
  std::vector<std::string> tags(const std::vector<std::string>& words) const {
    std::vector<std::string> found(words.size(), missing());
    Ids window;
    std::vector<std::pair<size_t, size_t>> firsts;  // place in the window, word
    const size_t room = longest_ - tokenizer_.around();
    const auto run = [&] {
      if (window.empty()) return;
      const auto logits = graph_(tokenizer_.sequence(window, longest_));
      for (const auto& [place, word] : firsts) {
        const auto row = logits.begin() + (tokenizer_.before() + place) * labels_.size();
        found[word] = labels_[std::max_element(row, row + labels_.size()) - row];
      }
      window.clear(), firsts.clear();
    };
    for (size_t word = 0; word < words.size(); word++) {
      const Ids pieces = tokenizer_.pieces(words[word]);
      if (window.size() + pieces.size() > room) run();
      if (pieces.empty()) continue;
      firsts.emplace_back(window.size(), word);
      window.insert(window.end(), pieces.begin(), pieces.begin() + std::min(pieces.size(), room));
    }
    run();
    return found;
  }

  std::string missing() const {
    for (const char* tag : {"O", "X"}) {
      if (std::find(labels_.begin(), labels_.end(), tag) != labels_.end()) return tag;
    }
    return labels_.at(0);
  }
};

int main(int count, char** arguments) try {
  const bool only_ids = count == 3 && std::string(arguments[2]) == "--ids";
  if (count != 2 && !only_ids) {
    std::cerr << "usage: bundle FOLDER [--ids] < lines.jsonl\n";
    return 2;
  }
  const Bundle bundle(arguments[1]);
  for (std::string line; std::getline(std::cin, line);) {
    const Json row = Json::parse(line);
    std::cout << (only_ids ? Json(bundle.ids(row)) : bundle.answer(row)).dump() << std::endl;
  }
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
