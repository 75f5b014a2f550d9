"""What a report shows of a lab run and of a verification: the same measures, at checkpoints or before and after.

::

    rows -> summary of the room -> lines -> page, charts, headlines, terminal
    rows -> transcripts
"""
