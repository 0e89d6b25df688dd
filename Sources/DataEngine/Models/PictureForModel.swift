import Imaging

extension Image {
    /// As a JPEG file for a vision model: made smaller where its longer side exceeds a limit.
    func jpeg(maximumSide: Int, quality: Int) throws -> [UInt8] {
        try scaledToFit(minimumSide: 1, maximumSide: maximumSide).encoded(as: .jpeg(quality: quality))
    }

    /// Made smaller until the longer side fits, or larger until the shorter one does, as far as the longer one allows.
    func scaledToFit(minimumSide: Int, maximumSide: Int) throws -> Image {
        let shorter = Double(min(width, height)), longer = Double(max(width, height))
        let scale = min(max(1, Double(minimumSide) / shorter), Double(maximumSide) / longer)
        if scale == 1 { return self }
        return try resized(
            width: max(1, Int((Double(width) * scale).rounded())),
            height: max(1, Int((Double(height) * scale).rounded())))
    }
}
