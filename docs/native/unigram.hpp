// Reads a tokenizer.json of the Unigram kind (XLM-R, multilingual E5, e5-mini) and encodes text
// to the same ids as the tokenizers package.
//
//   Unigram tokenizer("int8/tokenizer.json");
//   std::vector<int64_t> ids = tokenizer.pieces("It rains.");   // without special tokens
//
// Unicode comes from ICU. What a file asks for and is not here ends in an error when it is opened:
// other models than Unigram, byte_fallback, and rarer normalizers. Text is UTF-8.

#pragma once

#include <unicode/brkiter.h>
#include <unicode/normalizer2.h>
#include <unicode/regex.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <functional>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

class Unigram {
 public:
  using Ids = std::vector<int64_t>;

  explicit Unigram(const std::string& path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error(path + " cannot be read");
    const auto json = nlohmann::json::parse(file);
    read_model(json.at("model"));
    for (const auto& token : json.at("added_tokens")) {
      added_.push_back({token.at("content"), token.at("id"), token.value("lstrip", false),
                        token.value("rstrip", false)});
    }
    if (!json.at("normalizer").is_null()) add_normalizer(json.at("normalizer"));
    if (!json.at("pre_tokenizer").is_null()) add_splitter(json.at("pre_tokenizer"));
    const auto& post = json.at("post_processor");
    single_ = read_template(post, "single");
    pair_ = read_template(post, "pair");
  }

  // Ids of a text, without special tokens around it; special tokens in it are found.
  Ids pieces(const std::string& text) const {
    Ids ids;
    size_t start = 0;
    while (start <= text.size()) {
      size_t at = std::string::npos;
      const Added* next = nullptr;
      for (const auto& token : added_) {
        const size_t found = text.find(token.content, start);
        const bool longer = next && found == at && token.content.size() > next->content.size();
        if (found != std::string::npos && (found < at || longer)) at = found, next = &token;
      }
      std::string part = text.substr(start, next ? at - start : std::string::npos);
      if (next && next->lstrip) part = strip_spaces(part, false, true);
      encode_part(part, ids);
      if (!next) break;
      ids.push_back(next->id);
      start = at + next->content.size();
      if (next->rstrip) start = text.size() - strip_spaces(text.substr(start), true, false).size();
    }
    return ids;
  }

  // `<s> first </s>`, cut to the longest input.
  Ids sequence(const Ids& first, size_t longest) const {
    const size_t room = longest - (single_.size() - 1);
    return fill(single_, {first.begin(), first.begin() + std::min(first.size(), room)}, {});
  }

  // `<s> first </s></s> second </s>`; the longer of the two is cut first.
  Ids sequence(const Ids& first, const Ids& second, size_t longest) const {
    const size_t room = longest - (pair_.size() - 2);
    size_t one = first.size(), two = second.size();
    if (one + two > room) {
      size_t& shorter = one <= two ? one : two;
      size_t& longer = one <= two ? two : one;
      shorter = std::min(shorter, room / 2);
      longer = std::min(longer, room - shorter);
    }
    return fill(pair_, {first.begin(), first.begin() + one}, {second.begin(), second.begin() + two});
  }

  // Special tokens before and after a single sequence.
  size_t before() const { return std::find(single_.begin(), single_.end(), kFirst) - single_.begin(); }
  size_t around() const { return single_.size() - 1; }

 private:
  using Text = icu::UnicodeString;
  struct Added {
    std::string content;
    int64_t id;
    bool lstrip, rstrip;
  };
  struct Piece {
    int64_t id;
    double score;
  };
  static constexpr int64_t kFirst = -1, kSecond = -2;  // places of the texts in a template
  static constexpr double kUnknownPenalty = 10.0;

  std::vector<Added> added_;
  std::vector<std::function<void(Text&)>> normalizers_;
  std::vector<std::function<std::vector<Text>(const Text&)>> splitters_;
  std::unordered_map<std::string, Piece> vocabulary_;
  Ids single_, pair_;
  size_t longest_piece_ = 0;
  int64_t unknown_ = 0;
  double unknown_score_ = 0;

  [[noreturn]] static void unsupported(const std::string& what) {
    throw std::runtime_error("tokenizer.json: " + what + " is not supported by this example");
  }

  static std::string utf8(const Text& text) {
    std::string out;
    text.toUTF8String(out);
    return out;
  }

  // A copy: tempSubString would share memory with a string that may be gone.
  static Text copy(const Text& text, int32_t start, int32_t end) { return Text(text, start, end - start); }

  static size_t length_of_character(unsigned char first) {
    return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  }

  static bool is_space(UChar32 c) { return u_isUWhiteSpace(c); }

  static Text strip(Text text, bool left, bool right) {
    int32_t start = 0, end = text.length();
    while (left && start < end && is_space(text.char32At(start))) start = text.moveIndex32(start, 1);
    while (right && end > start && is_space(text.char32At(text.moveIndex32(end, -1)))) {
      end = text.moveIndex32(end, -1);
    }
    return copy(text, start, end);
  }

  static std::string strip_spaces(const std::string& text, bool left, bool right) {
    return utf8(strip(Text::fromUTF8(text), left, right));
  }

  // ---- the model

  void read_model(const nlohmann::json& model) {
    if (model.value("type", "") != "Unigram") unsupported("a model of the kind " + model.value("type", "?"));
    if (model.value("byte_fallback", false)) unsupported("byte_fallback");
    unknown_ = model.at("unk_id");
    double lowest = std::numeric_limits<double>::infinity();
    int64_t id = 0;
    for (const auto& entry : model.at("vocab")) {
      const std::string piece = entry.at(0);
      const double score = entry.at(1);
      vocabulary_[piece] = {id++, score};
      longest_piece_ = std::max(longest_piece_, piece.size());
      lowest = std::min(lowest, score);
    }
    unknown_score_ = lowest - kUnknownPenalty;
  }

  // The likeliest pieces (Kudo 2018), found by Viterbi; neighbouring unknown ones become one.
  void encode_chunk(const std::string& text, Ids& ids) const {
    struct Best {
      double score = 0;
      size_t start = std::string::npos;
      int64_t id = 0;
    };
    std::vector<Best> best(text.size() + 1);
    for (size_t start = 0; start < text.size();) {
      const size_t character = length_of_character(text[start]);
      bool single = false;
      for (size_t end = start; end < text.size() && end - start < longest_piece_;) {
        end += length_of_character(text[end]);
        const auto found = vocabulary_.find(text.substr(start, end - start));
        if (found == vocabulary_.end()) continue;
        const double score = best[start].score + found->second.score;
        if (best[end].start == std::string::npos || score > best[end].score) {
          best[end] = {score, start, found->second.id};
        }
        single = single || end == start + character;
      }
      if (!single) {
        Best& target = best[start + character];
        const double score = best[start].score + unknown_score_;
        if (target.start == std::string::npos || score > target.score) target = {score, start, unknown_};
      }
      start += character;
    }
    Ids reversed;
    for (size_t end = text.size(); end > 0; end = best[end].start) {
      const int64_t id = best[end].id;
      if (id == unknown_ && !reversed.empty() && reversed.back() == unknown_) continue;
      reversed.push_back(id);
    }
    ids.insert(ids.end(), reversed.rbegin(), reversed.rend());
  }

  void encode_part(const std::string& part, Ids& ids) const {
    if (part.empty()) return;
    Text text = Text::fromUTF8(part);
    for (const auto& normalize : normalizers_) normalize(text);
    std::vector<Text> chunks{text};
    for (const auto& split : splitters_) {
      std::vector<Text> next;
      for (const auto& chunk : chunks) {
        for (auto& found : split(chunk)) {
          if (!found.isEmpty()) next.push_back(std::move(found));
        }
      }
      chunks = std::move(next);
    }
    for (const auto& chunk : chunks) encode_chunk(utf8(chunk), ids);
  }

  // ---- special tokens around a text

  static Ids read_template(const nlohmann::json& post, const char* name) {
    if (post.is_null() || post.at("type") != "TemplateProcessing") unsupported("its post_processor");
    Ids ids;
    for (const auto& entry : post.at(name)) {
      if (entry.contains("Sequence")) {
        ids.push_back(entry["Sequence"].at("id") == "A" ? kFirst : kSecond);
        continue;
      }
      const std::string token = entry.at("SpecialToken").at("id");
      for (const auto& id : post.at("special_tokens").at(token).at("ids")) ids.push_back(id);
    }
    return ids;
  }

  static Ids fill(const Ids& form, const Ids& first, const Ids& second) {
    Ids ids;
    for (const int64_t id : form) {
      const Ids one{id};
      const Ids& more = id == kFirst ? first : id == kSecond ? second : one;
      ids.insert(ids.end(), more.begin(), more.end());
    }
    return ids;
  }

  // ---- normalizers

  void add_normalizer(const nlohmann::json& json) {
    const std::string type = json.at("type");
    if (type == "Sequence") {
      for (const auto& one : json.at("normalizers")) add_normalizer(one);
    } else if (type == "NFKC" || type == "NFC") {
      UErrorCode status = U_ZERO_ERROR;
      const auto* form = type == "NFKC" ? icu::Normalizer2::getNFKCInstance(status)
                                        : icu::Normalizer2::getNFCInstance(status);
      normalizers_.push_back([form](Text& text) {
        UErrorCode failed = U_ZERO_ERROR;
        text = form->normalize(text, failed);
      });
    } else if (type == "Replace") {
      auto pattern = read_pattern(json.at("pattern"));
      const auto content = Text::fromUTF8(json.at("content").get<std::string>());
      normalizers_.push_back([pattern, content](Text& text) { text = replaced(*pattern, text, content); });
    } else if (type == "Strip") {
      const bool left = json.at("strip_left"), right = json.at("strip_right");
      normalizers_.push_back([left, right](Text& text) { text = strip(text, left, right); });
    } else if (type == "Prepend") {
      const auto content = Text::fromUTF8(json.at("prepend").get<std::string>());
      normalizers_.push_back([content](Text& text) {
        if (!text.isEmpty()) text.insert(0, content);
      });
    } else if (type == "Lowercase") {
      normalizers_.push_back([](Text& text) {  // each letter by itself, as Rust does it
        Text out;
        for (int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
          out += Text(text.char32At(i)).toLower(icu::Locale::getRoot());
        }
        text = out;
      });
    } else if (type == "Precompiled") {
      auto map = std::make_shared<CharacterMap>(json.at("precompiled_charsmap").get<std::string>());
      normalizers_.push_back([map](Text& text) { text = map->applied(text); });
    } else {
      unsupported("the normalizer " + type);
    }
  }

  static std::shared_ptr<icu::RegexPattern> read_pattern(const nlohmann::json& json) {
    UErrorCode status = U_ZERO_ERROR;
    UParseError where;
    const bool literal = json.contains("String");
    const std::string text = literal ? json["String"] : json.at("Regex");
    std::shared_ptr<icu::RegexPattern> pattern(
        icu::RegexPattern::compile(Text::fromUTF8(text), literal ? UREGEX_LITERAL : 0, where, status));
    if (U_FAILURE(status)) unsupported("the pattern " + text);
    return pattern;
  }

  static Text replaced(const icu::RegexPattern& pattern, const Text& text, const Text& content) {
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<icu::RegexMatcher> matcher(pattern.matcher(text, status));
    Text out;
    int32_t start = 0;
    while (matcher->find()) {
      out.append(text, start, matcher->start(status) - start).append(content);
      start = matcher->end(status);
    }
    return out.append(text, start, text.length() - start);
  }

  // SentencePiece's character map: a double array (Darts) over UTF-8, and the strings it leads to.
  class CharacterMap {
   public:
    explicit CharacterMap(const std::string& base64) {
      const std::string bytes = decode(base64);
      const uint32_t size = word(bytes, 0);
      for (uint32_t at = 4; at < 4 + size; at += 4) units_.push_back(word(bytes, at));
      strings_ = bytes.substr(4 + size);
    }

    Text applied(const Text& text) const {
      UErrorCode status = U_ZERO_ERROR;
      std::unique_ptr<icu::BreakIterator> graphemes(
          icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
      graphemes->setText(text);
      std::string out;
      int32_t start = 0;
      for (int32_t end = graphemes->next(); end != icu::BreakIterator::DONE; end = graphemes->next()) {
        const std::string grapheme = utf8(copy(text, start, end));
        const char* whole = grapheme.size() < 6 ? found(grapheme) : nullptr;
        if (whole) {
          out += whole;
        } else {
          for (size_t at = 0; at < grapheme.size();) {
            const std::string one = grapheme.substr(at, length_of_character(grapheme[at]));
            const char* other = found(one);
            out += other ? other : one;
            at += one.size();
          }
        }
        start = end;
      }
      return Text::fromUTF8(out);
    }

   private:
    std::vector<uint32_t> units_;
    std::string strings_;

    static uint32_t word(const std::string& bytes, size_t at) {
      uint32_t value = 0;
      for (int i = 3; i >= 0; i--) value = value << 8 | static_cast<unsigned char>(bytes.at(at + i));
      return value;
    }

    static std::string decode(const std::string& base64) {
      std::string out;
      uint32_t bits = 0;
      int count = 0;
      for (const char c : base64) {
        const int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                          : c >= 'a' && c <= 'z' ? c - 'a' + 26
                          : c >= '0' && c <= '9' ? c - '0' + 52
                          : c == '+'             ? 62
                          : c == '/'             ? 63
                                                 : -1;
        if (value < 0) continue;
        bits = bits << 6 | value;
        count += 6;
        if (count >= 8) out += static_cast<char>(bits >> (count -= 8) & 0xFF);
      }
      return out;
    }

    static uint32_t offset(uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); }

    // What the shortest prefix in the map leads to; null where there is none.
    const char* found(const std::string& key) const {
      uint32_t at = offset(units_.at(0));
      for (const char c : key) {
        const auto byte = static_cast<unsigned char>(c);
        at ^= byte;
        const uint32_t unit = units_.at(at);
        if ((unit & ((1u << 31) | 0xFF)) != byte) return nullptr;
        at ^= offset(unit);
        if (unit >> 8 & 1) return strings_.c_str() + (units_.at(at) & ((1u << 31) - 1));
      }
      return nullptr;
    }
  };

  // ---- splitters

  void add_splitter(const nlohmann::json& json) {
    const std::string type = json.at("type");
    if (type == "Sequence") {
      for (const auto& one : json.at("pretokenizers")) add_splitter(one);
    } else if (type == "WhitespaceSplit") {
      splitters_.push_back([](const Text& text) {
        std::vector<Text> found{Text()};
        for (int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
          const UChar32 c = text.char32At(i);
          if (is_space(c)) found.emplace_back();
          else found.back() += c;
        }
        return found;
      });
    } else if (type == "Split" && json.at("behavior") == "Isolated" && !json.at("invert")) {
      auto pattern = read_pattern(json.at("pattern"));
      splitters_.push_back([pattern](const Text& text) { return isolated(*pattern, text); });
    } else if (type == "Metaspace") {
      const auto mark = Text::fromUTF8(json.at("replacement").get<std::string>());
      const bool old = json.value("add_prefix_space", true);
      const std::string scheme = json.value("prepend_scheme", old ? "always" : "never");
      if (scheme == "first") unsupported("prepend_scheme: first");
      const bool prepend = scheme == "always", split = json.value("split", true);
      splitters_.push_back([=](const Text& text) { return by_words(text, mark, prepend, split); });
    } else {
      unsupported("the pre_tokenizer " + type);
    }
  }

  static std::vector<Text> isolated(const icu::RegexPattern& pattern, const Text& text) {
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<icu::RegexMatcher> matcher(pattern.matcher(text, status));
    std::vector<Text> found;
    int32_t start = 0;
    while (matcher->find()) {
      found.push_back(copy(text, start, matcher->start(status)));
      start = matcher->end(status);
      found.push_back(copy(text, matcher->start(status), start));
    }
    found.push_back(copy(text, start, text.length()));
    return found;
  }

  // Each word with the mark before it, which stands for the space.
  static std::vector<Text> by_words(Text text, const Text& mark, bool prepend, bool split) {
    text.findAndReplace(Text(u' '), mark);
    if (prepend && !text.startsWith(mark)) text.insert(0, mark);
    if (!split) return {text};
    std::vector<Text> found;
    int32_t start = 0;
    for (int32_t at = text.indexOf(mark, 1); at >= 0; at = text.indexOf(mark, at + 1)) {
      found.push_back(copy(text, start, at));
      start = at;
    }
    found.push_back(copy(text, start, text.length()));
    return found;
  }
};
