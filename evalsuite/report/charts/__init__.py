"""Choose and draw the charts of the report, as SVG inside the page.

Files:
    chart.py: what a chart shows, before it is drawn
    draw_curves.py: draw lines over layers
    draw_languages.py: draw scores by language, a row each
    draw_points.py: draw systems as points, with a front or a fitted line
    draw_sizes.py: draw scores against size, a plot per language
    draw_training.py: draw the loss and the dev scores of one training
    label_places.py: places for labels, so that none covers another
    palette.py: colours and markers, and the style sheet's variables for them
    pareto_charts.py: which Pareto charts a report has
    svg_element.py: from a figure of matplotlib to an element of the page
"""
