"""Do the guards pass right answers and stop wrong ones?"""
