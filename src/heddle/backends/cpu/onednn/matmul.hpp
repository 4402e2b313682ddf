// The matrix product by oneDNN. matmul.cpp is the real one; absent.cpp takes its place in builds without oneDNN.
#pragma once

#include <string>

#include "heddle/backends/cpu/kernels/kernel.hpp"
#include "heddle/base/error.hpp"
#include "heddle/base/namespace.hpp"

namespace HEDDLE_NS::cpu {

// Null where oneDNN is not built in.
Kernel onednn_matmul() noexcept;

// Makes oneDNN generate its code and its static objects now. They must be older than the hook that ends a runtime with
// the process (runtime/lifecycle.hpp): else they are destroyed before it, under the work that it waits for. oneDNN ends
// the process where it gets no memory for that, so kOutOfMemory where there is too little of it beforehand.
Status onednn_preload();

// Name and version, for people; empty where oneDNN is not built in.
std::string onednn_description();

}  // namespace HEDDLE_NS::cpu
