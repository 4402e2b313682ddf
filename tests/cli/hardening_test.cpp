// How the programs are hardened, read from their ELF files (System V ABI; as hardening-check and readelf do).
#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

namespace heddle::test {
namespace {

#ifdef HEDDLE_HARDENED

// A 64-bit ELF file of this machine, read whole into memory.
class Elf {
 public:
  explicit Elf(const char* path) {
    std::ifstream stream(path, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
    header_ = at<Elf64_Ehdr>(0);
    for (unsigned i = 0; i < header_.e_phnum; ++i)
      segments_.push_back(at<Elf64_Phdr>(header_.e_phoff + i * sizeof(Elf64_Phdr)));
    for (unsigned i = 0; i < header_.e_shnum; ++i)
      sections_.push_back(at<Elf64_Shdr>(header_.e_shoff + i * sizeof(Elf64_Shdr)));
    for (const Elf64_Shdr& section : sections_) {
      if (section.sh_type == SHT_DYNAMIC) {
        for (std::size_t i = 0; i < section.sh_size / sizeof(Elf64_Dyn); ++i) {
          dynamic_.push_back(at<Elf64_Dyn>(section.sh_offset + i * sizeof(Elf64_Dyn)));
        }
      }
      if (section.sh_type == SHT_DYNSYM) {
        const Elf64_Shdr& names = sections_.at(section.sh_link);
        for (std::size_t i = 0; i < section.sh_size / sizeof(Elf64_Sym); ++i) {
          const auto symbol = at<Elf64_Sym>(section.sh_offset + i * sizeof(Elf64_Sym));
          imports_.insert(std::string(bytes_.data() + names.sh_offset + symbol.st_name));
        }
      }
    }
  }

  const Elf64_Ehdr& header() const { return header_; }
  const std::set<std::string>& imports() const { return imports_; }
  const Elf64_Phdr* segment(std::uint32_t type) const {
    for (const Elf64_Phdr& segment : segments_) {
      if (segment.p_type == type) return &segment;
    }
    return nullptr;
  }
  // The value of a dynamic tag; 0 if there is none.
  std::uint64_t tag(std::int64_t wanted) const {
    for (const Elf64_Dyn& entry : dynamic_) {
      if (entry.d_tag == wanted) return entry.d_un.d_val == 0 ? 1 : entry.d_un.d_val;
    }
    return 0;
  }
  bool imports_fortified() const {
    for (const std::string& name : imports_) {
      if (name.size() > 6 && name.starts_with("__") && name.ends_with("_chk") && name != "__stack_chk_fail")
        return true;
    }
    return false;
  }
  // The number of the processor's markers for indirect branch targets in the code.
  std::size_t landing_places() const {
    std::size_t count = 0;
    for (const Elf64_Phdr& segment : segments_) {
      if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
      const std::string_view code(bytes_.data() + segment.p_offset, segment.p_filesz);
      for (std::size_t i = code.find("\xF3\x0F\x1E\xFA"); i != std::string_view::npos;
           i = code.find("\xF3\x0F\x1E\xFA", i + 4)) {
        ++count;
      }
    }
    return count;
  }

 private:
  template <class Value>
  Value at(std::size_t offset) const {
    Value value{};
    EXPECT_LE(offset + sizeof value, bytes_.size());
    if (offset + sizeof value <= bytes_.size()) std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
  }

  std::vector<char> bytes_;
  Elf64_Ehdr header_{};
  std::vector<Elf64_Phdr> segments_;
  std::vector<Elf64_Shdr> sections_;
  std::vector<Elf64_Dyn> dynamic_;
  std::set<std::string> imports_;
};

class HardeningTest : public ::testing::TestWithParam<const char*> {};

TEST_P(HardeningTest, IsThatOfDebian) {
  const Elf elf(GetParam());
  ASSERT_EQ(std::memcmp(elf.header().e_ident, ELFMAG, SELFMAG), 0) << GetParam();
  EXPECT_EQ(elf.header().e_type, ET_DYN) << "position-independent";
  EXPECT_NE(elf.tag(DT_FLAGS_1) & DF_1_PIE, 0U);
  EXPECT_NE(elf.segment(PT_GNU_RELRO), nullptr) << "relro";
  EXPECT_TRUE((elf.tag(DT_FLAGS) & DF_BIND_NOW) != 0 || elf.tag(DT_BIND_NOW) != 0) << "bindnow";
  EXPECT_NE(elf.tag(DT_FLAGS_1) & DF_1_NOW, 0U);
  ASSERT_NE(elf.segment(PT_GNU_STACK), nullptr);
  EXPECT_EQ(elf.segment(PT_GNU_STACK)->p_flags & PF_X, 0U) << "no code on the stack";
  EXPECT_EQ(elf.tag(DT_RPATH), 0U);
  EXPECT_EQ(elf.tag(DT_RUNPATH), 0U);
  EXPECT_EQ(elf.tag(DT_TEXTREL), 0U);
  EXPECT_TRUE(elf.imports().contains("__stack_chk_fail")) << "stack protector";
  if (HEDDLE_FORTIFIED != 0) {
    EXPECT_TRUE(elf.imports_fortified()) << "_FORTIFY_SOURCE";
  }
#ifdef __x86_64__
  EXPECT_GT(elf.landing_places(), 200U) << "-fcf-protection";
#endif
}

INSTANTIATE_TEST_SUITE_P(Heddle, HardeningTest, ::testing::Values(HEDDLE_CLI_PATH),
                         [](const auto&) { return std::string("Program"); });
#ifdef HEDDLE_CHECK_PROGRAM_PATH
INSTANTIATE_TEST_SUITE_P(HeddleCheck, HardeningTest, ::testing::Values(HEDDLE_CHECK_PROGRAM_PATH),
                         [](const auto&) { return std::string("Program"); });
#endif

#else
TEST(Hardening, IsSwitchedOff) { GTEST_SKIP() << "HEDDLE_HARDENING is OFF"; }
#endif

}  // namespace
}  // namespace heddle::test
