extension GroundedAnswer {
    /// How many objects the answer located for each phrase that was asked, then for phrases of its own. Boxes are counted, not
    /// believed numbers; case does not matter.
    public func counts(of phrases: [String]) -> [(phrase: String, count: Int)] {
        var counts = phrases.map { (phrase: $0, count: 0) }
        for group in groups {
            if let index = counts.firstIndex(where: { $0.phrase.lowercased() == group.phrase.lowercased() }) {
                counts[index].count += group.objects.count
            } else {
                counts.append((group.phrase, group.objects.count))
            }
        }
        return counts
    }
}
