// What HTTP/1 asks of a server beyond requests and responses: `100 Continue`, the client's wish to close, and the rest of a body that
// was answered before it had come.

import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// Hummingbird's channel with `ConnectionManners` next to the wire.
struct PoliteHTTP1Channel: ServerChildChannel {
    private let channel: HTTP1Channel
    private let bodyLimit: Int

    /// - Parameter bodyLimit: clients that announce more are not invited to send it
    init(_ channel: HTTP1Channel, bodyLimit: Int) {
        (self.channel, self.bodyLimit) = (channel, bodyLimit)
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        self.channel.setup(channel: channel, logger: logger).flatMapThrowing { [bodyLimit] value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(ConnectionManners(bodyLimit: bodyLimit), position: .after(decoder))
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async { await channel.handle(value: value, logger: logger) }
}

/// Belongs to one connection and its event loop.
private final class ConnectionManners: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let bodyLimit: Int
    /// How long the rest of an answered request may take to come before the connection ends.
    private static let restTime = TimeAmount.seconds(5)

    /// Whether a request's body has not come to its end.
    private var isReceiving = false
    /// Whether that request has been answered already.
    private var isAnswered = false
    private var rest = 0
    private var deadline: Scheduled<Void>?

    init(bodyLimit: Int) {
        self.bodyLimit = bodyLimit
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(var head):
            (isReceiving, isAnswered, rest) = (true, false, 0)
            // Only this spelling is looked at above; HTTP/1.0 closes unless asked not to.
            if !head.isKeepAlive { head.headers.replaceOrAdd(name: "Connection", value: "close") }
            let announced = head.headers.first(name: "Content-Length").flatMap { Int($0) } ?? 0
            if head.version == .http1_1, announced <= bodyLimit,
                head.headers[canonicalForm: "Expect"].contains(where: { $0.lowercased() == "100-continue" })
            {
                let interim = HTTPResponseHead(version: .http1_1, status: .continue)
                context.writeAndFlush(wrapOutboundOut(.head(interim)), promise: nil)
            }
            context.fireChannelRead(wrapInboundOut(.head(head)))
        case .body(let part):
            if !isAnswered {
                context.fireChannelRead(data)
                return
            }
            // Nobody waits for it, but a client that has not sent all of it may not be listening yet.
            rest += part.readableBytes
            if rest > 2 * bodyLimit { context.close(promise: nil) }
        case .end:
            isReceiving = false
            deadline?.cancel()
            context.fireChannelRead(data)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        if isReceiving && isAnswered { context.read() }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data), isReceiving, !isAnswered {
            isAnswered = true
            let channel = context.channel
            deadline = context.eventLoop.scheduleTask(in: Self.restTime) { channel.close(promise: nil) }
            context.read()
        }
        context.write(data, promise: promise)
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }
}
