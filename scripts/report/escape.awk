# Text on stdin as HTML.
#
#   awk -f csv.awk -f html.awk -f escape.awk

{ print html($0) }
