// heddle info: what this build is and what it runs on.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.hpp"
#include "cli/terminal/json.hpp"
#include "cli/terminal/option_values.hpp"
#include "cli/terminal/table.hpp"
#include "heddle/backends/cuda/open.hpp"
#include "heddle/device/device.hpp"
#include "heddle/heddle.hpp"
#include "heddle/memory/device_memory.hpp"
#include "heddle/runtime/open_device.hpp"
#include "heddle/sync/asymmetric_fence.hpp"
#include "heddle/sync/thread.hpp"
#include "heddle/tensor/core.hpp"

namespace heddle::cli {
namespace {

const char* compiler() {
#if defined(__clang__)
  return __VERSION__;  // names itself
#else
  return "GCC " __VERSION__;
#endif
}

const char* fence_name() {
  switch (sync::asymmetric_fence_mode()) {
    case sync::FenceMode::kMembarrier: return "membarrier";
    case sync::FenceMode::kFull: return "full";
    case sync::FenceMode::kUnknown: break;
  }
  return "unknown";
}

// Whether this build has the backend of `device`, and what keeps this machine from opening it.
struct Presence {
  bool built_in = true;
  std::string problem;
};

Presence presence_of(const std::string& device) {
  Presence presence{device != "cuda" || cuda_built_in(), ""};
  try {
    Options options;
    options.device = device;
    const Runtime runtime(options);
  } catch (const Error& error) {
    presence.problem = error.what();
  }
  return presence;
}

Json limits_json(const PoolLimits& limits) {
  return {{"streams", limits.streams},
          {"streams_max", limits.streams_max},
          {"lease_wait_max_ms", limits.lease_wait_max.count()},
          {"list_commands_max", limits.list_commands_max},
          {"list_bytes_max", limits.list_bytes_max},
          {"committed_lists_max", limits.committed_lists_max},
          {"handlers_max", limits.handlers_max},
          {"handler_wait_max_ms", limits.handler_wait_max.count()},
          {"slow_handler_ms", limits.slow_handler.count()},
          {"spin_max_us", limits.spin_max.count()}};
}

Json collect() {
  const Options options;
  Runtime runtime(options);
  const DeviceInfo& device = runtime.device_info();
  const MemoryInfo memory = runtime.core().device().memory_info();
  Json info;
  info["build_id"] = build_id();
  info["version"] = HEDDLE_VERSION;
  info["compiler"] = compiler();
  info["device"] = device.name;
  info["backend"] = device.backend;
  info["kernels"] = device.kernels;
  const auto source = [](const std::string& text) { return text.empty() ? std::string("the device") : text; };
  info["cores"] = device.processors;
  info["cores_source"] = source(device.processors_source);
  info["workers"] = device.workers;
  const Budget& budget = runtime.core().memory().budget();
  info["memory"] = {
      {"total", memory.total_bytes}, {"source", device.memory_bytes == 0 ? "unknown" : source(device.memory_source)},
      {"free", memory.free_bytes},   {"limit", budget.limit()},
      {"high", budget.high()},       {"low", budget.low()}};
  info["limits"] = limits_json(core_options(resolve(options), device).limits);
  info["fence"] = fence_name();
  for (const char* backend : {"cpu", "sim", "cuda"}) {
    const Presence presence = presence_of(backend);
    info["built_in"][backend] = presence.built_in;
    if (!presence.problem.empty()) info["cannot_open"][backend] = presence.problem;
  }
  for (const CudaDeviceName& gpu : cuda_devices()) {
    info["cuda_devices"].push_back({{"name", gpu.name}, {"memory", gpu.memory_bytes}});
  }
  return info;
}

void print_text(const Json& info) {
  const auto text = [&info](const char* key) { return info[key].get<std::string>(); };
  const auto bytes = [&info](const char* key) { return bytes_text(info["memory"][key].get<std::size_t>()); };
  std::string out = fmt::format("heddle {} ({})\n", text("version"), text("build_id"));
  out += field_line("compiler", text("compiler"));
  out += field_line("device", fmt::format("{}: {}", text("backend"), text("device")));
  out += field_line("kernels", text("kernels"));
  const auto workers = info["workers"].get<unsigned>();
  out += field_line("cores", fmt::format("{} ({}){}", info["cores"].get<unsigned>(), text("cores_source"),
                                         workers == 0 ? "" : fmt::format(", {} workers", workers)));
  out += field_line("memory", fmt::format("{}, {} free, limit {}", bytes("total"), bytes("free"), bytes("limit")));
  out += field_line("", fmt::format("size from {}", info["memory"]["source"].get<std::string>()));
  out += field_line("", fmt::format("idle memory is given back above {}, down to {}", bytes("high"), bytes("low")));
  out += field_line("fence", text("fence"));
  for (const auto& [name, value] : info["limits"].items()) {
    out += field_line(name == "streams" ? "limits" : "", fmt::format("{:<20}{}", name, value.get<std::uint64_t>()));
  }
  for (const auto& [name, value] : info["built_in"].items()) {
    std::string word = value.get<bool>() ? "yes" : "no";
    if (value.get<bool>() && info.contains("cannot_open") && info["cannot_open"].contains(name)) {
      word += ", cannot be opened: " + info["cannot_open"][name].get<std::string>();
    }
    out += field_line(name == "cpu" ? "built in" : "", fmt::format("{:<20}{}", name, word));
  }
  if (info.contains("cuda_devices")) {
    std::size_t index = 0;
    for (const auto& device : info["cuda_devices"]) {
      out += field_line(index == 0 ? "devices" : "",
                        fmt::format("{:<20}{}, {}", fmt::format("cuda:{}", index), device["name"].get<std::string>(),
                                    bytes_text(device["memory"].get<std::size_t>())));
      ++index;
    }
  }
  fmt::print("{}", out);
}

}  // namespace

void add_info(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("info", "What this build is and what it runs on");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "One JSON object");
  command->callback([json, &run] {
    run = [json] {
      const Json info = collect();
      if (*json) {
        fmt::print("{}\n", json_text(info, 2));
      } else {
        print_text(info);
      }
      return kExitPass;
    };
  });
}

}  // namespace heddle::cli
