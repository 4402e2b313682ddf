// The matrix product by oneDNN. matmul.cpp is the real one; absent.cpp replaces it in builds without oneDNN.
#pragma once

#include <string>

#include "heddle/backends/cpu/kernels/kernel.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/error.hpp"

namespace HEDDLE_NS::cpu {

// Null if oneDNN is not built in.
Kernel onednn_matmul() noexcept;

// Makes oneDNN generate its code and its static objects now. They must be older than the hook that ends a runtime with
// the process (runtime/lifecycle.hpp); otherwise they are destroyed before the hook, while work that it waits for uses
// them. oneDNN ends the process if it gets no memory for that, so too little memory is detected first: kOutOfMemory.
Status onednn_preload();

// Name and version, human-readable; empty if oneDNN is not built in.
std::string onednn_description();

}  // namespace HEDDLE_NS::cpu
