/// Why annotated pictures could not be read or written.
public enum AnnotationsError: Error, Sendable, Hashable {
    /// A file or folder could not be opened, read or made, or does not have the bytes that are wanted.
    case unusableFile(path: String, reason: String)
    /// A tar archive that is damaged, cut off, or none; `offset` is where the trouble begins.
    case damagedArchive(path: String, offset: Int, reason: String)
    /// One record of a set is unusable.
    case badRecord(place: String, problem: RecordProblem)
}

extension AnnotationsError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unusableFile(let path, let reason): "\(path): \(reason)"
        case .damagedArchive(let path, let offset, let reason):
            "\(path) is no whole tar archive: \(reason) (at byte \(offset)). Make or fetch it again, or take it out of the folder."
        case .badRecord(let place, let problem): "\(place): \(problem)"
        }
    }
}
