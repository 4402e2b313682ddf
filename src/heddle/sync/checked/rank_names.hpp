// The names of the ranks, for the checker's list of locks and their order.
#pragma once

#include "heddle/sync/rank.hpp"

namespace heddle {

constexpr const char* name_of(Rank rank) noexcept {
  switch (rank) {
    case Rank::kRuntimeRegistry: return "runtime registry";
    case Rank::kReaper: return "reaper";
    case Rank::kRuntime: return "runtime";
    case Rank::kReclaim: return "reclaim";
    case Rank::kLanePool: return "lane pool";
    case Rank::kHandlers: return "handlers";
    case Rank::kHandlerQueue: return "handler queue";
    case Rank::kAllocator: return "allocator";
    case Rank::kOutboxes: return "outboxes";
    case Rank::kPageSource: return "page source";
    case Rank::kDevice: return "device";
    case Rank::kDeviceScheduler: return "device scheduler";
    case Rank::kDeviceQueue: return "device queue";
    case Rank::kFailureLog: return "failure log";
    case Rank::kPoller: return "poller";
    case Rank::kTicketParking: return "ticket parking";
    case Rank::kPrimitiveCache: return "primitive cache";
    case Rank::kLeaf: return "leaf";
  }
  return "lock";
}

}  // namespace heddle
