/// The names under which the first module drops pictures.
public enum DropReason {
    /// The source says that it is not safe for work.
    public static let notSafe = "unsafe"
    /// The source says that it bears a watermark.
    public static let watermark = "watermark"
    public static let tooSmall = "too small"
    public static let tooLong = "too long or narrow"
    public static let tooManyPixels = "too many pixels"
    public static let tooManyBytes = "too many bytes"
    /// The other server has no such file (any more).
    public static let gone = "gone"
    /// The other server does not give it to us.
    public static let refused = "refused"
    /// The host's robots.txt excludes it.
    public static let robots = "excluded by robots.txt"
    /// An address that is none, is on no list, or leads to a private network.
    public static let address = "address not allowed"
    /// A web page or something else.
    public static let noPicture = "no picture"
    public static let damaged = "damaged picture"
    /// A page on plain white or another picture that shows next to nothing.
    public static let lowContent = "low content"
    /// The same file as an earlier one.
    public static let duplicate = "duplicate"
    /// It looks the same as an earlier one.
    public static let nearDuplicate = "near duplicate"

    /// All of them.
    public static let all = [
        notSafe, watermark, tooSmall, tooLong, tooManyPixels, tooManyBytes, gone, refused, robots, address, noPicture,
        damaged, lowContent, duplicate, nearDuplicate,
    ]
}
