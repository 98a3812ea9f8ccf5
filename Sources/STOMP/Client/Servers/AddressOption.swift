// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// One `NAME=VALUE` of an address, still a part of its text.
struct AddressOption {
    let name: Substring
    var value: Substring
    /// With the prefix `nested.`, if it had one.
    private let writtenName: Substring

    private init(name: Substring, value: Substring, writtenName: Substring) {
        self.name = name
        self.value = value
        self.writtenName = writtenName
    }

    /// The option of each server, if this is one for all servers of a list.
    var nested: AddressOption? {
        guard self.name.hasPrefix("nested.") else { return nil }
        let name = self.name.dropFirst("nested.".count)
        return AddressOption(name: name, value: self.value, writtenName: self.writtenName)
    }

    /// The options of a query that starts with `?`, separated by `&` or `,`.
    static func options(_ query: Substring?) throws(STOMPError) -> [AddressOption] {
        guard let query else { return [] }
        var options: [AddressOption] = []
        let parts = query.dropFirst().split(omittingEmptySubsequences: false) { $0 == "&" || $0 == "," }
        for part in parts {
            let (name, value) = part.divided { $0 == "=" }
            if let value, name.isOptionName {
                options.append(AddressOption(name: name, value: value.dropFirst(), writtenName: name))
            } else if part.scheme != nil, options.last?.name == "priorityURIs" {
                // Its value is a list, with the separator that stompest also has between options.
                options[options.count - 1].value =
                    part.base[options[options.count - 1].value.startIndex..<part.endIndex]
            } else {
                throw part.invalid("an option is written as NAME=VALUE")
            }
        }
        // A "?" within a password starts the options too early; its "@" then shows up here, and no name is repeated.
        if let option = options.first(where: { $0.value.contains("@") && $0.name != "priorityURIs" }) {
            throw option.name.invalid("\"?\" and \"@\" within a password or value are written as %3F and %40")
        }
        for (index, option) in options.enumerated() where options[..<index].contains(where: { $0.name == option.name })
        {
            throw option.invalid("is given twice")
        }
        return options
    }

    /// An error about this option, which it names; never its value.
    func invalid(_ reason: String) -> STOMPError {
        self.writtenName.invalid("the option \(self.writtenName) \(reason)")
    }

    func number(_ allowed: PartialRangeFrom<Int>, _ description: String) throws(STOMPError) -> Int {
        guard let number = self.value.wholeNumber, allowed.contains(number) else {
            throw self.invalid("needs \(description)")
        }
        return number
    }

    var milliseconds: Duration {
        get throws(STOMPError) { try self.milliseconds(from: 0) }
    }

    func milliseconds(from minimum: Int) throws(STOMPError) -> Duration {
        let description = "a whole number of milliseconds, \(minimum) at least"
        let number = try self.number(minimum..., description)
        // A century; deadlines are sums.
        guard number <= 3_000_000_000_000 else { throw self.invalid("is more than 3000000000000 milliseconds") }
        return .milliseconds(number)
    }

    var flag: Bool {
        get throws(STOMPError) {
            switch self.value {
            case "true": return true
            case "false": return false
            default: throw self.invalid("needs true or false")
            }
        }
    }
}
