/// What was asked of an endpoint and what it cost.
public struct EndpointUsage: Codable, Sendable, Hashable {
    /// Requests that were sent, repetitions among them.
    public var requests = 0
    /// Requests that were repetitions.
    public var retries = 0
    /// Questions that it answered.
    public var answers = 0
    /// Questions whose answers were known already.
    public var stored = 0
    /// Questions that failed for good.
    public var failures = 0
    public var promptTokens = 0
    public var completionTokens = 0

    public init() {}

    /// In the currency of the endpoint's prices.
    public func cost(_ settings: EndpointSettings) -> Double {
        (Double(promptTokens) * settings.promptPrice + Double(completionTokens) * settings.completionPrice) / 1e6
    }
}
