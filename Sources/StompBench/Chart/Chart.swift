// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Draws runs as horizontal bars, in SVG: for light and dark pages, without scripts.
struct Chart {
    private enum Size {
        static let width = 900.0
        static let labels = 190.0
        static let values = 64.0
        static let margin = 16.0
        static let bar = 13.0
        static let step = 15.0
        static let gap = 14.0
        static let leastGroup = 30.0
        static let row = 20.0
    }

    /// Told apart on white and on black; ours is the first.
    private static let colours = [
        "#f05138", "#4c8eda", "#3fa66b", "#b07cc6", "#c49a2c", "#3aa5a8", "#d16ba5", "#8a8f98", "#7a9a3a", "#a8755c",
        "#6c7fd8", "#5f9ea0",
    ]

    private let data: ChartData
    private let isCPU: Bool

    init(_ arguments: Arguments) throws(BenchError) {
        var measurements: [Measurement] = []
        for file in arguments.files { measurements += try Measurement.all(in: try TextFile.text(of: file), of: file) }
        try self.init(measurements, isCPU: arguments.isChartOfCPU)
    }

    init(_ measurements: [Measurement], isCPU: Bool) throws(BenchError) {
        self.data = try ChartData(measurements, isCPU: isCPU)
        self.isCPU = isCPU
    }

    // MARK: - The whole

    var svg: String {
        let title = self.isCPU ? "CPU for each message, in nanoseconds" : "Messages a second"
        let hint = self.isCPU ? "logarithmic; shorter is better" : "logarithmic; longer is better"
        let (legend, legendHeight) = self.legend(from: 62)
        let top = 62 + legendHeight + 22
        let (bars, bottom) = self.bars(from: top)
        let height = bottom + Size.margin
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(Self.text(Size.width))" height="\(Self.text(height))" \
            viewBox="0 0 \(Self.text(Size.width)) \(Self.text(height))" role="img" \
            font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="12">
            <title>\(title)</title>
            <style>
            .ink { fill: #1f2328 } .faint { fill: #57606a } .grid { stroke: #8c959f; stroke-opacity: 0.35 }
            @media (prefers-color-scheme: dark) { .ink { fill: #e6edf3 } .faint { fill: #9aa4af } }
            </style>
            <text class="ink" x="\(Self.text(Size.margin))" y="28" font-size="17" font-weight="600">\(title)</text>
            <text class="faint" x="\(Self.text(Size.margin))" y="46">\(hint)</text>
            \(legend)
            \(self.grid(from: top - 4, to: bottom))
            \(bars)
            </svg>
            """
    }

    private var scale: LogScale {
        LogScale(self.data.groups.flatMap { group in self.data.clients.indices.compactMap(group.value) })
    }

    private func x(_ value: Double) -> Double {
        Size.labels + self.scale.place(of: value) * (Size.width - Size.labels - Size.values - Size.margin)
    }

    // MARK: - Parts

    private func legend(from top: Double) -> (text: String, height: Double) {
        var lines: [String] = []
        var x = Size.margin
        var y = top
        for (index, client) in self.data.clients.enumerated() {
            // What a letter takes is known to the viewer only; this is a generous guess.
            let width = 30 + 7.2 * Double(client.count)
            if x > Size.margin, x + width > Size.width - Size.margin {
                x = Size.margin
                y += Size.row
            }
            lines.append(
                """
                <rect x="\(Self.text(x))" y="\(Self.text(y))" width="12" height="12" rx="2" fill="\(Self.colour(index))"/>\
                <text class="ink" x="\(Self.text(x + 18))" y="\(Self.text(y + 10.5))">\(Self.escaped(client))</text>
                """
            )
            x += width
        }
        return (lines.joined(separator: "\n"), y + Size.row - top)
    }

    private func grid(from top: Double, to bottom: Double) -> String {
        self.scale.ticks.map { tick in
            let x = Self.text(self.x(tick))
            return """
                <line class="grid" x1="\(x)" y1="\(Self.text(top))" x2="\(x)" y2="\(Self.text(bottom))"/>\
                <text class="faint" x="\(x)" y="\(Self.text(top - 5))" text-anchor="middle" font-size="11">\
                \(Figure.abbreviated(tick))</text>
                """
        }.joined(separator: "\n")
    }

    private func bars(from top: Double) -> (text: String, bottom: Double) {
        var lines: [String] = []
        var y = top
        var lastMode: String?
        for group in self.data.groups {
            let bars = self.data.clients.indices.compactMap { client in group.value(of: client).map { (client, $0) } }
                .sorted { self.isCPU ? $0.1 < $1.1 : $0.1 > $1.1 }
            // A mode is named once.
            let isNamed = group.mode != lastMode
            if isNamed {
                if lastMode != nil { y += 6 }
                lines.append(Self.label(group.mode, y: y + 11, isStrong: true))
                lastMode = group.mode
            }
            lines.append(Self.label(group.details, y: isNamed ? y + 25 : y + 11, isStrong: false))
            for (index, (client, value)) in bars.enumerated() {
                lines.append(self.bar(client, value, y: y + Double(index) * Size.step, of: group))
            }
            y += max(Double(bars.count) * Size.step, isNamed ? Size.leastGroup : 0) + Size.gap
        }
        return (lines.filter { !$0.isEmpty }.joined(separator: "\n"), y - Size.gap / 2)
    }

    private static func label(_ text: String, y: Double, isStrong: Bool) -> String {
        guard !text.isEmpty else { return "" }
        let style = isStrong ? #"class="ink" font-weight="600""# : #"class="faint""#
        return """
            <text \(style) x="\(self.text(Size.margin))" y="\(self.text(y))">\(self.escaped(text))</text>
            """
    }

    private func bar(_ client: Int, _ value: Double, y: Double, of group: ChartData.Group) -> String {
        let end = max(self.x(value), Size.labels + 2)
        let number = Figure.abbreviated(value)
        let what = "\(self.data.clients[client]), \(group.mode) \(group.details): \(number)"
        return """
            <rect x="\(Self.text(Size.labels))" y="\(Self.text(y))" width="\(Self.text(end - Size.labels))" \
            height="\(Self.text(Size.bar))" rx="2" fill="\(Self.colour(client))">\
            <title>\(Self.escaped(what))</title></rect>\
            <text class="ink" x="\(Self.text(end + 5))" y="\(Self.text(y + 10.5))" font-size="11">\(number)</text>
            """
    }

    // MARK: - Text

    private static func colour(_ index: Int) -> String {
        self.colours[index % self.colours.count]
    }

    /// A coordinate, with one digit after the point and no thousands.
    private static func text(_ coordinate: Double) -> String {
        let tenths = Int((coordinate * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }

    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            // XML has no way to say them.
            case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": escaped += " "
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
