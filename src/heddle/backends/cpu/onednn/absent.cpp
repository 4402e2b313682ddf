// Replaces matmul.cpp in builds without oneDNN: an absent library is an implementation, not an #ifdef.
#include "heddle/backends/cpu/onednn/matmul.hpp"

namespace HEDDLE_NS::cpu {

Kernel onednn_matmul() noexcept { return nullptr; }
Status onednn_preload() { return {}; }
std::string onednn_description() { return {}; }

}  // namespace HEDDLE_NS::cpu
