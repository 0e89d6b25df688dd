import Imaging
import Testing
@Test func smoke() throws { }
