// plugin_host MODE PLUGIN [SEED]: loads and unloads a plugin that contains heddle; the program itself does not.
//   unused: nothing was opened, so it is unloaded.   running: while its work runs.   finished: after its runtime ended.
#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace {

std::atomic<int> done{0};

void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "plugin host failed: %s\n", what);
  _exit(1);
}

template <class Function>
Function* find(void* plugin, const char* name) {
  void* const symbol = dlsym(plugin, name);
  expect(symbol != nullptr, name);
  return reinterpret_cast<Function*>(symbol);
}

void pause_ms(unsigned most) {
  std::this_thread::sleep_for(std::chrono::milliseconds(std::rand() % (most + 1)));
}  // NOLINT

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) return 2;
  const char* const mode = arguments[1];
  std::srand(count > 3 ? static_cast<unsigned>(std::atoi(arguments[3])) : 0);
  void* plugin = dlopen(arguments[2], RTLD_NOW | RTLD_LOCAL);
  expect(plugin != nullptr, "dlopen");
  if (std::strcmp(mode, "unused") == 0) {
    dlclose(plugin);
    expect(dlopen(arguments[2], RTLD_NOW | RTLD_NOLOAD) == nullptr, "an unused plugin is unloaded");
    return 3;
  }
  // On a thread that ends: a thread-local object of the plugin keeps it loaded while its thread lives.
  std::thread([&] {
    find<void(int, void (*)())>(plugin, "plugin_start")(std::rand() % 400, [] { done.fetch_add(1); });  // NOLINT
    if (std::strcmp(mode, "finished") == 0) find<void()>(plugin, "plugin_finish")();
  }).join();
  dlclose(plugin);
  void* const again = dlopen(arguments[2], RTLD_NOW | RTLD_NOLOAD);
  expect(again != nullptr, "a plugin whose threads run, or ran, stays loaded");
  if (std::strcmp(mode, "running") == 0) {
    pause_ms(5);
    expect(find<int()>(again, "plugin_compute")() == 1, "a result after dlclose");
    if (std::rand() % 2 == 0) find<void()>(again, "plugin_finish")();  // NOLINT
  }
  dlclose(again);
  std::thread([] { pause_ms(2); }).join();
  return 3;
}
