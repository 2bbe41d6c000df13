# A picture of gnuplot as part of a page: its names get a prefix of their own, and what only a file of its own needs is
# left out.
#
#   TITLE='Loss' awk -v prefix=p1- -f csv.awk -f html.awk -f svg.awk <loss.svg

/^<\?xml/ || /^<desc>/ { next }

!is_open && /^<svg/ { is_head = 1 }

# The opening tag goes over several lines.
is_head {
    if (match($0, /viewBox="[-0-9. ]*"/)) view = substr($0, RSTART, RLENGTH)
    if (!/>/) next
    is_head = 0
    is_open = 1
    print "<svg " view " role=\"img\"><title>" html(ENVIRON["TITLE"]) "</title>"
    next
}

!is_open || /^<title>/ { next }

{
    gsub(/ id="gnuplot_plot_[^"]*"/, "")
    gsub(/<title>gnuplot_plot_[^<]*<\/title>/, "")
    gsub(/ id="/, "&" prefix)
    gsub(/ id='/, "&" prefix)
    gsub(/xlink:href='#/, "href='#" prefix)
    gsub(/xlink:href="#/, "href=\"#" prefix)
    gsub(/url\(#/, "&" prefix)
    gsub(/xlink:href=/, "href=")
    print
}
