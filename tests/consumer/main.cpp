// The smallest program outside the tree. Fails when the sum of a product of random matrices is no number.
#include <cmath>
#include <cstdio>

#include "heddle/heddle.hpp"

int main() {
  heddle::Runtime runtime;
  auto x = heddle::randn(runtime, {256, 256});
  auto y = heddle::matmul(x, x);
  float s = heddle::sum(y).item();
  std::printf("sum of x times x: %g\n", static_cast<double>(s));
  return std::isfinite(s) ? 0 : 1;
}
