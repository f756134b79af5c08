"""Teach a smaller student what a teacher knows.

`student` cuts the student from the teacher, `objective` says what is matched, `distill` trains.
"""
