// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import STOMPCore
import STOMPTesting

/// What a simulation consists of.
struct SimulationOptions: Sendable {
    var serverCount = 3
    var messageCount = 20
    var pairCount = 6
    var burstCount = 3
    var newsCount = 8
    var consumerCount = 2
    /// When nothing goes wrong any more.
    var healingTime: Duration = .seconds(90)
    /// When all must be over.
    var limit: Duration = .seconds(1_800)
}

/// Broker, network, clients and their users on one clock, out of one seed.
///
/// What must hold, whatever happens:
/// - Each call returns in its time, throws only what it may, and nothing is left of it; a cancelled one returns at once.
/// - What was confirmed arrives at a queue's acknowledging consumers; what was said not to be sent never arrives, also
///   when it was to be repeated.
/// - What comes again is marked, unless it was sent until confirmed: then it may come twice.
/// - Of sends that are repeated, made at once, those that were confirmed came to the broker in the order of the calls.
/// - Of a transaction all or nothing arrives.
/// - A loop through all connections ends only as wished, or with `.rejected` if an ERROR names its subscription or it was
///   the only one that an ERROR can have been about.
/// - To a listener of mode `auto`, at a topic or a queue, each message comes once at most, and confirmed ones in order;
///   when nothing goes wrong any more, it hears what is sent.
/// - A refused receipt is an unknown outcome here, since the fault refuses what has taken effect.
/// - All of it with a dialect that has a prefetch header, with one that has none, and with one without receipts, where
///   nothing is confirmed.
final class World: Sendable {
    let seed: UInt64
    let options: SimulationOptions
    let clock = ManualClock()
    let journal: Journal
    let configuration: STOMPConfiguration
    /// Whether what has taken effect may be refused all the same.
    private let refusesReceipts: Bool
    private let clients = Locked<[Remembered]>([])

    private struct Remembered: Sendable {
        weak let client: STOMPClient?
    }

    init(seed: UInt64, options: SimulationOptions, executor: SimulationExecutor) {
        self.seed = seed
        self.options = options
        self.journal = Journal(self.clock)
        var random = SplitMix64(seed: seed, index: -2)
        var configuration = STOMPConfiguration()
        configuration.clock = self.clock
        // Not `nil`: in a task without a preference of its own that is the global pool, past the hook.
        configuration.livenessExecutor = executor
        configuration.random = SplitMix64(seed: seed, index: -2)
        configuration.handlerTimeout = .seconds(2)
        // Small enough that it fills up, also for one message.
        configuration.outboxLimit = 1 + random.magnitude(below: 64 * 1024)
        if random.hits(20) { configuration.heartBeat = .none }
        if random.hits(30) { configuration.versions = [[.v10, .v11, .v12][random.number(in: 0...2)]] }
        switch random.number(in: 0...9) {
        case 0...2:
            // Nothing limits what the broker sends ahead.
            configuration.dialect = .generic
        case 3:
            configuration.dialect = .generic
            configuration.dialect?.hasReceipts = false
        default:
            break
        }
        self.refusesReceipts = random.hits(50)
        self.configuration = configuration
    }

    /// Whether the broker confirms anything, as far as the client knows.
    var hasReceipts: Bool { self.configuration.dialect?.hasReceipts ?? true }

    /// Whether there is neither NACK nor an ack of one message.
    var isLegacy: Bool { self.configuration.versions == [.v10] }

    func remember(_ client: STOMPClient) {
        self.clients.withLock { $0.append(Remembered(client: client)) }
    }

    /// How many clients are still there; when all is over, none should be.
    var clientCount: Int { self.clients.withLock { clients in clients.count { $0.client != nil } } }

    func pause(_ duration: Duration) async {
        try? await self.clock.sleep(for: duration)
    }

    private func generator(_ index: Int) -> SplitMix64 {
        SplitMix64(seed: self.seed, index: index)
    }

    /// The simulation; everything that it starts ends with it.
    func play() async {
        guard let broker = try? STOMPBroker(self.brokerConfiguration) else { return }
        let servers = (1...self.options.serverCount).map { index in
            let plan = FaultPlan(seed: self.seed &+ UInt64(index) &* 0x1_0000, kinds: self.kinds)
            return FaultyServer(broker, plan: plan, clock: self.clock, pipeCapacity: 2_048) { line in
                self.journal.note("server \(index): connection \(line)")
            }
        }
        let source = ClientSource(self, servers: servers)
        await withDiscardingTaskGroup { group in
            group.addTask(name: "broker") { try? await broker.run() }
            for server in servers { group.addTask(name: "server") { await server.run() } }
            await self.play(broker, servers, source)
            group.cancelAll()
        }
    }

    private var kinds: Set<FaultPlan.Kind> {
        Set(FaultPlan.Kind.allCases).subtracting(self.refusesReceipts ? [] : [.refusedReceipt])
    }

    private var brokerConfiguration: STOMPBroker.Configuration {
        var configuration = STOMPBroker.Configuration()
        configuration.clock = self.clock
        configuration.maximumConnectionBacklog = 16 * 1024
        return configuration
    }

    private func play(_ broker: STOMPBroker, _ servers: [FaultyServer], _ source: ClientSource) async {
        await withDiscardingTaskGroup { users in
            users.addTask(name: "clients") { await source.run() }
            for index in 1...self.options.consumerCount {
                users.addTask(name: "consumer") {
                    await self.consume(Producer.queue, source, "consumer \(index)", 10 + index)
                }
            }
            users.addTask(name: "consumer") { await self.consume(PairProducer.queue, source, "pair consumer", 20) }
            users.addTask(name: "consumer") { await self.consume(BurstProducer.queue, source, "burst consumer", 21) }
            for (index, destination) in NewsProducer.destinations.enumerated() {
                users.addTask(name: "listener") { await self.listen(destination, source, 30 + index) }
            }
            await withDiscardingTaskGroup { group in
                group.addTask(name: "producer") {
                    var producer = Producer(world: self, source: source, random: self.generator(1))
                    await producer.run()
                }
                group.addTask(name: "pair producer") {
                    var producer = PairProducer(world: self, source: source, random: self.generator(2))
                    await producer.run()
                }
                group.addTask(name: "burst producer") {
                    var producer = BurstProducer(world: self, source: source, random: self.generator(5))
                    await producer.run()
                }
                for (index, destination) in NewsProducer.destinations.enumerated() {
                    group.addTask(name: "news producer") {
                        var producer = NewsProducer(
                            destination: destination,
                            world: self,
                            source: source,
                            random: self.generator(40 + index)
                        )
                        await producer.run()
                    }
                }
                group.addTask(name: "chaos") { await self.disturb(broker, servers) }
            }
            await self.checkDelivery(source)
            await self.checkNews(source)
            BurstProducer.checkOrder(await broker.receivedFrames, self.journal)
            source.stop()
        }
        await self.checkLeftovers(broker, servers)
    }

    private func consume(
        _ queue: STOMPDestination,
        _ source: ClientSource,
        _ name: String,
        _ index: Int
    ) async {
        var consumer = Consumer(
            name: name,
            queue: queue,
            world: self,
            source: source,
            random: self.generator(index)
        )
        await consumer.run()
    }

    private func listen(_ destination: STOMPDestination, _ source: ClientSource, _ index: Int) async {
        var listener = Listener(
            destination: destination,
            world: self,
            source: source,
            random: self.generator(index)
        )
        await listener.run()
    }

    // MARK: - What happens to all connections

    private func disturb(_ broker: STOMPBroker, _ servers: [FaultyServer]) async {
        var random = self.generator(3)
        while true {
            await self.pause(random.milliseconds(in: 500...30_000))
            guard self.clock.now.offset < self.options.healingTime else { break }
            let server = servers[random.number(in: 0...servers.count - 1)]
            let duration = random.milliseconds(in: 10...15_000)
            switch random.number(in: 0...4) {
            case 0, 1:
                self.journal.note("a server goes down")
                server.goDown()
                await self.pause(duration)
                server.comeUp()
            case 2:
                self.journal.note("the broker cuts all connections")
                await broker.disconnectAll()
            case 3:
                self.journal.note("the broker sends an ERROR and closes")
                await broker.sendError("out of order")
            default:
                self.journal.note("the broker sends an ERROR")
                await broker.sendError("out of order", then: .stayOpen)
            }
        }
        self.journal.note("healed")
        for server in servers { server.heal() }
        // A subscription that was refused and is there all the same keeps its messages until its connection ends.
        if self.refusesReceipts { await broker.disconnectAll() }
    }

    // MARK: - What must be so in the end

    private func checkDelivery(_ source: ClientSource) async {
        var producer = Producer(world: self, source: source, random: self.generator(4))
        if await !producer.sendLast() { self.journal.violate("sending does not work after healing") }
        for _ in 0..<300 where !self.journal.missing.isEmpty || !self.halfPairs.isEmpty {
            await self.pause(.seconds(1))
        }
        for key in self.journal.missing { self.journal.violate("\(key) was confirmed and has not come") }
        for key in self.journal.ghosts { self.journal.violate("\(key) was said not to be sent, and has come") }
        for number in self.halfPairs { self.journal.violate("one half of pair \(number) has come") }
    }

    /// When nothing goes wrong any more, who listens hears.
    private func checkNews(_ source: ClientSource) async {
        for (index, destination) in NewsProducer.destinations.enumerated() {
            var producer = NewsProducer(
                destination: destination,
                world: self,
                source: source,
                random: self.generator(50 + index)
            )
            if await !producer.sendLast() { self.journal.violate("nobody hears what goes to \(destination)") }
        }
    }

    private var halfPairs: [Int] {
        (1...self.options.pairCount).filter { number in
            self.journal.hasReceived("pair-\(number)-a") != self.journal.hasReceived("pair-\(number)-b")
        }
    }

    private func checkLeftovers(_ broker: STOMPBroker, _ servers: [FaultyServer]) async {
        var left = -1
        for _ in 0..<60 {
            left = await broker.connectionCount
            for server in servers { left += server.connectionCount }
            if left == 0 { return }
            await self.pause(.seconds(1))
        }
        self.journal.violate("\(left) connections are left")
    }
}
