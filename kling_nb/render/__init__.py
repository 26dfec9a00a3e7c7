"""Records, states and errors as static HTML and plain text: the outputs that a notebook keeps.

Everything here is pure: values come in, text goes out. No network, no clock (`now` is a parameter), no widgets. The
HTML has inline styles and no scripts, so that it looks the same in trusted and untrusted notebooks, in light and dark
themes, on nbconvert pages and without a kernel; see `page`.
"""
