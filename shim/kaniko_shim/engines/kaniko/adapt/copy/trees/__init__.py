"""What COPY takes from the context, and the trees and second paths that are prepared for it."""
