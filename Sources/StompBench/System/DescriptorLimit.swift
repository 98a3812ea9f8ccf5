// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How many descriptors this process may have.
enum DescriptorLimit {
    /// Raises the soft limit as far as the hard one lets it.
    ///
    /// - Throws: if that is not enough.
    static func require(_ count: Int) throws(BenchError) {
        var limit = rlimit()
        #if canImport(Glibc)
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
        let resource = RLIMIT_NOFILE
        #endif
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < count else { return }
        limit.rlim_cur = min(limit.rlim_max, rlim_t(count))
        _ = setrlimit(resource, &limit)
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < count else { return }
        throw BenchError(
            "that needs \(count) descriptors, and the limit is \(limit.rlim_cur); raise the hard limit (ulimit -Hn), "
                + "or take fewer connections"
        )
    }
}
